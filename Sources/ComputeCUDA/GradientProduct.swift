internal import CCUDA
internal import Compute
internal import Synchronization

/// A product of two bf16 matrices with sums in fp32: c = scale op(a) op(b), or added to c, where
/// either operand may lie transposed; with a bias it is added to every row.
///
/// Parameter gradients sum over all rows of a batch and have few outputs, so their sums must be cut
/// for the GPU to be filled: partial sums go to the workspace and are added in one order. Algorithms
/// are the heuristics' first, not timed: which one is taken, and with it the last bit of a gradient,
/// depends on shapes alone, so that training twice gives the same.
struct GradientProduct {
  var a: Tensor
  var b: Tensor
  var c: Tensor
  /// Whether a lies as [inner, rows], and b as [columns, inner].
  var transposedA = false
  var transposedB = false
  var scale: Float = 1
  var adding = false
  /// Address of the bias in c's type, or 0.
  var bias: UInt = 0

  var inner: Int { transposedA ? a.rows : a.columns }

  struct Shape: Hashable {
    var sizes: [Int]
    var transposedA: Bool
    var transposedB: Bool
    var type: ElementType
    var hasBias: Bool
    var adding: Bool
  }

  /// Rows are counted in eight steps an octave.
  var shape: Shape {
    let step = Products.step
    let rows = transposedA ? c.rows : step(c.rows)
    let inner = transposedA ? step(inner) : inner
    return Shape(
      sizes: [rows, c.columns, inner, a.stride, b.stride, c.stride], transposedA: transposedA,
      transposedB: transposedB, type: c.type, hasBias: bias != 0, adding: adding)
  }

  /// Whether cuBLASLt takes it: bf16 operands whose rows begin at multiples of 16 bytes.
  var isAligned: Bool {
    a.type == .bfloat16 && b.type == .bfloat16
      && [a, b, c].allSatisfy {
        $0.columns % 8 == 0 && $0.stride % 8 == 0 && $0.address % 16 == 0
      } && (transposedA ? c.rows : inner) % 8 == 0 && bias % 16 == 0
  }
}

extension Products {
  func multiply(_ product: GradientProduct, workspace: UInt, stream: UInt64) throws(ComputeError) {
    let (a, b, c) = (product.a, product.b, product.c)
    // Row-major c = a b is asked for as the column-major c^T = b^T a^T.
    var operation: UInt64 = 0
    try Products.check(
      unsafe table.operation_create(&operation, Number.computeFloat32, Number.float32),
      "describing a product")
    defer { _ = table.operation_destroy(operation) }
    func set(_ attribute: Int32, _ value: Int32) throws(ComputeError) {
      var value = value
      try Products.check(
        unsafe table.operation_set(operation, attribute, &value, 4), "describing a product")
    }
    try set(Number.transposeA, product.transposedB ? 1 : 0)
    try set(Number.transposeB, product.transposedA ? 1 : 0)
    if product.bias != 0 {
      try set(Number.epilogue, Number.epilogueBias)
      var address = UInt64(product.bias)
      try Products.check(
        unsafe table.operation_set(operation, Number.biasPointer, &address, 8),
        "describing a product")
    }
    var layouts: [UInt64] = []
    defer { for layout in layouts { _ = table.layout_destroy(layout) } }
    for tensor in [b, a, c] {
      let type = tensor.type == .float32 ? Number.float32 : Number.bfloat16
      var layout: UInt64 = 0
      try Products.check(
        unsafe table.layout_create(
          &layout, type, UInt64(tensor.columns), UInt64(tensor.rows), Int64(tensor.stride)),
        "describing a matrix")
      layouts.append(layout)
    }
    let shape = product.shape
    var (scale, kept): (Float, Float) = (product.scale, product.adding ? 1 : 0)
    func run(_ algorithm: ccuda_algorithm) -> Bool {
      var algorithm = algorithm
      return unsafe table.multiply(
        handle, operation, &scale, UInt64(b.address), layouts[0], UInt64(a.address), layouts[1],
        &kept, UInt64(c.address), layouts[2], UInt64(c.address), layouts[2], &algorithm,
        UInt64(workspace), Products.workspaceBytes, stream) == 0
    }
    if let known = chosenForGradients.withLock({ $0[shape] }), run(known) { return }
    // A new shape, or rows within a step of a known one that its algorithm does not take after all.
    for algorithm in choices(operation, layouts) where run(algorithm) {
      chosenForGradients.withLock { $0[shape] = algorithm }
      return
    }
    throw .unsupported("cuBLASLt has no product for \(shape)")
  }

  /// The heuristics' algorithms, best first.
  private func choices(_ operation: UInt64, _ layouts: [UInt64]) -> [ccuda_algorithm] {
    var choices = [ccuda_choice](repeating: ccuda_choice(), count: 4)
    var found: Int32 = 0
    let code = unsafe table.choose(
      handle, operation, layouts[0], layouts[1], layouts[2], layouts[2], cuttingPreference, 4,
      &choices, &found)
    guard code == 0 else { return [] }
    return choices.prefix(Int(found)).filter { $0.status == 0 }.map(\.algorithm)
  }
}
