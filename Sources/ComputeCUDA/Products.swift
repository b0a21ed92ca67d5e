internal import CCUDA
internal import Compute
internal import Synchronization

/// Matrix products by cuBLASLt: bf16 in and out, fp32 sums, bias and GELU applied before the store.
///
/// Row-major out [R, N] = x [R, K] W[N, K]^T is asked for as the column-major out^T = W x^T. Algorithms
/// come from the library's heuristics and are timed once for each shape (rows counted in eight steps
/// an octave). Only algorithms that sum along K in one piece on tensor cores are admitted, so that a
/// row's result does not depend on how many rows are computed beside it: for a single row the library
/// also has kernels that sum in another order.
@safe final class Products: @unchecked Sendable {
  let table: ccuda_blas
  let handle: UInt64
  private let preference: UInt64
  /// Of gradient products, which may cut their sums (`GradientProduct`).
  let cuttingPreference: UInt64
  let chosenForGradients = Mutex<[GradientProduct.Shape: ccuda_algorithm]>([:])
  private let chosen = Mutex<[Shape: ccuda_algorithm]>([:])

  /// Bytes of scratch memory that each lane lends to the products.
  static let workspaceBytes = 32 << 20
  /// Algorithms that are timed for a shape.
  private static let candidates: Int32 = 24

  struct Shape: Hashable {
    var outputs: Int
    var inputs: Int
    var rows: Int
    var strides: [Int]
    var gelu: Bool
    var adds: Bool
  }

  init(_ table: ccuda_blas) throws(ComputeError) {
    self.table = table
    var handle: UInt64 = 0
    try Products.check(unsafe table.create(&handle), "starting cuBLASLt")
    self.handle = handle
    preference = try Products.preference(table, reductions: 0, kinds: Number.onTensorCores)
    cuttingPreference = try Products.preference(
      table, reductions: Number.reductionInWorkspace, kinds: Number.onAnything)
  }

  /// `reductions`: how sums may be cut; `kinds`: what may multiply.
  private static func preference(
    _ table: ccuda_blas, reductions: UInt32, kinds: UInt64
  ) throws(ComputeError) -> UInt64 {
    var preference: UInt64 = 0
    try Products.check(unsafe table.preference_create(&preference), "preferring products")
    var bytes = UInt64(Products.workspaceBytes)
    try Products.check(
      unsafe table.preference_set(preference, Number.preferredWorkspace, &bytes, 8),
      "preferring a workspace")
    var reductions = reductions
    try Products.check(
      unsafe table.preference_set(preference, Number.preferredReduction, &reductions, 4),
      "preferring whole sums")
    var kinds = kinds
    try Products.check(
      unsafe table.preference_set(preference, Number.preferredKinds, &kinds, 8),
      "preferring tensor cores")
    var alignment: UInt32 = 16
    for operand in Number.preferredAlignments {
      try Products.check(
        unsafe table.preference_set(preference, operand, &alignment, 4), "preferring an alignment")
    }
    return preference
  }

  deinit {
    _ = table.preference_destroy(preference)
    _ = table.preference_destroy(cuttingPreference)
    _ = table.destroy(handle)
  }

  /// What a product does besides multiplying.
  @safe final class Operation: @unchecked Sendable {
    let handle: UInt64
    let gelu: Bool
    private let table: ccuda_blas

    init(handle: UInt64, gelu: Bool, table: ccuda_blas) {
      self.handle = handle
      self.gelu = gelu
      self.table = table
    }

    deinit { _ = table.operation_destroy(handle) }
  }

  /// `bias` is the address of bf16 [N], or 0.
  func operation(bias: UInt, gelu: Bool) throws(ComputeError) -> Operation {
    var handle: UInt64 = 0
    try Products.check(
      unsafe table.operation_create(&handle, Number.computeFloat32, Number.float32),
      "describing a product")
    let operation = Operation(handle: handle, gelu: gelu, table: table)
    var transposed: Int32 = 1
    unsafe try set(operation, Number.transposeA, &transposed, 4)
    var epilogue: Int32 =
      switch (bias != 0, gelu) {
      case (false, false): Number.epilogueNone
      case (true, false): Number.epilogueBias
      case (false, true): Number.epilogueGELU
      case (true, true): Number.epilogueGELU | Number.epilogueBias
      }
    unsafe try set(operation, Number.epilogue, &epilogue, 4)
    if bias != 0 {
      var address = UInt64(bias)
      unsafe try set(operation, Number.biasPointer, &address, 8)
    }
    return operation
  }

  private func set(
    _ operation: Operation, _ attribute: Int32, _ value: UnsafeRawPointer, _ bytes: Int
  ) throws(ComputeError) {
    try Products.check(
      unsafe table.operation_set(operation.handle, attribute, value, bytes), "describing a product")
  }

  /// One product's operands.
  @safe struct Call {
    let operation: Operation
    let weight: UInt
    let x: Tensor
    /// Added to the product before it is rounded; as wide and strided as `out`.
    let addend: Tensor?
    let out: Tensor
    let workspace: UInt
    let stream: UInt64
  }

  /// Runs a product. `time` gives the milliseconds that its argument takes on the device; it is used
  /// when the shape is new.
  func multiply(
    _ call: Call, time: (() throws(ComputeError) -> Void) throws(ComputeError) -> Float
  ) throws(ComputeError) {
    let layouts = try Layouts(call, table)
    let shape = Shape(
      outputs: call.out.columns, inputs: call.x.columns, rows: Products.step(call.x.rows),
      strides: [call.x.stride, call.out.stride], gelu: call.operation.gelu, adds: call.addend != nil
    )
    if let known = chosen.withLock({ $0[shape] }) {
      if try run(call, layouts, known) { return }
    }
    let choices = try choices(call, layouts)
    guard var best = choices.first?.algorithm else {
      throw .unsupported("cuBLASLt has no product for \(shape)")
    }
    if choices.count > 1 {
      var shortest = Float.infinity
      for choice in choices {
        guard try run(call, layouts, choice.algorithm) else { continue }
        let taken = try time { () throws(ComputeError) in
          for _ in 0..<3 { _ = try run(call, layouts, choice.algorithm) }
        }
        if taken < shortest { (shortest, best) = (taken, choice.algorithm) }
      }
    }
    chosen.withLock { $0[shape] = best }
    guard try run(call, layouts, best) else {
      throw .device("cuBLASLt refuses the product that it proposed for \(shape)")
    }
  }

  /// Rows rounded up to eight steps an octave: shapes within a step share an algorithm.
  static func step(_ rows: Int) -> Int {
    var unit = 8
    while unit * 16 <= rows { unit *= 2 }
    return (rows + unit - 1) / unit * unit
  }

  private func choices(_ call: Call, _ layouts: borrowing Layouts) throws(ComputeError)
    -> [ccuda_choice]
  {
    var choices = [ccuda_choice](repeating: ccuda_choice(), count: Int(Products.candidates))
    var found: Int32 = 0
    let code = unsafe table.choose(
      handle, call.operation.handle, layouts.weight, layouts.x, layouts.out, layouts.out,
      preference,
      Products.candidates, &choices, &found)
    guard code == 0 else { return [] }
    return choices.prefix(Int(found)).filter { $0.status == 0 }
  }

  /// False if the algorithm does not take the shape.
  private func run(_ call: Call, _ layouts: borrowing Layouts, _ algorithm: ccuda_algorithm)
    throws(ComputeError) -> Bool
  {
    var (one, beta): (Float, Float) = (1, call.addend == nil ? 0 : 1)
    let addend = call.addend ?? call.out
    var algorithm = algorithm
    return unsafe table.multiply(
      handle, call.operation.handle, &one, UInt64(call.weight), layouts.weight,
      UInt64(call.x.address), layouts.x, &beta, UInt64(addend.address), layouts.out,
      UInt64(call.out.address), layouts.out, &algorithm, UInt64(call.workspace),
      Products.workspaceBytes, call.stream) == 0
  }

  static func check(_ code: Int32, _ doing: StaticString) throws(ComputeError) {
    if code != 0 { throw .device("\(doing): cuBLAS status \(code)") }
  }

  /// The operands' shapes, as the library wants them; freed with the value.
  @safe private struct Layouts: ~Copyable {
    let weight: UInt64
    let x: UInt64
    let out: UInt64
    private let table: ccuda_blas

    init(_ call: Call, _ table: ccuda_blas) throws(ComputeError) {
      let inputs = call.x.columns
      let shapes = [
        (inputs, call.out.columns, inputs), (inputs, call.x.rows, call.x.stride),
        (call.out.columns, call.x.rows, call.out.stride),
      ]
      var made: [UInt64] = []
      for (rows, columns, stride) in shapes {
        var layout: UInt64 = 0
        try Products.check(
          unsafe table.layout_create(
            &layout, Number.bfloat16, UInt64(rows), UInt64(columns), Int64(stride)),
          "describing a matrix")
        made.append(layout)
      }
      (weight, x, out) = (made[0], made[1], made[2])
      self.table = table
    }

    deinit {
      for layout in [weight, x, out] { _ = table.layout_destroy(layout) }
    }
  }

  /// Numbers of the library's interface.
  enum Number {
    static let float32: Int32 = 0
    static let bfloat16: Int32 = 14
    static let computeFloat32: Int32 = 68
    static let transposeA: Int32 = 3
    static let transposeB: Int32 = 4
    static let epilogue: Int32 = 7
    static let biasPointer: Int32 = 8
    static let epilogueNone: Int32 = 1
    static let epilogueBias: Int32 = 4
    static let epilogueGELU: Int32 = 32
    static let preferredWorkspace: Int32 = 1
    static let preferredReduction: Int32 = 3
    /// Partial sums in fp32 in the workspace, added up in one order.
    static let reductionInWorkspace: UInt32 = 2
    static let preferredAlignments: ClosedRange<Int32> = 5...8
    static let preferredKinds: Int32 = 12
    static let onAnything = UInt64.max
    /// All but the lowest bit, multiply-add without tensor cores.
    static let onTensorCores = UInt64.max - 1
  }
}
