package import Compute

/// Linear maps that change at every step. Products read bf16 copies of the weights (`Shadows`); what
/// cuBLASLt does not take (odd sizes, fp32 states as heads have them) goes to kernels/products.cu,
/// which reads the fp32 weights themselves.
extension CUDABackend: TrainableBackend {
  package func linear(
    _ x: Tensor, weight: Tensor, bias: Tensor?, scale: Float, adding: Bool, into out: Tensor
  ) throws(ComputeError) {
    precondition(x.rows == out.rows && x.columns == weight.columns && out.columns == weight.rows)
    precondition(bias == nil || bias?.count == out.columns)
    var product = GradientProduct(
      a: x, b: weight, c: out, transposedB: true, scale: scale, adding: adding)
    // A bias is added in the type of the result.
    if x.type == .bfloat16, bias == nil || out.type == .bfloat16 {
      product.b = try shadow(of: weight)
      if let bias { product.bias = try shadow(of: bias).address }
      if product.isAligned { return try run(product) }
      product.b = weight
    }
    try run(irregular: product, bias: bias)
  }

  package func linearInputGradient(
    _ d: Tensor, weight: Tensor, scale: Float, adding: Bool, into dx: Tensor
  ) throws(ComputeError) {
    precondition(d.rows == dx.rows && d.columns == weight.rows && dx.columns == weight.columns)
    var product = GradientProduct(a: d, b: weight, c: dx, scale: scale, adding: adding)
    if d.type == .bfloat16 {
      product.b = try shadow(of: weight)
      if product.isAligned { return try run(product) }
      product.b = weight
    }
    try run(irregular: product, bias: nil)
  }

  package func linearParameterGradient(
    _ d: Tensor, input x: Tensor, scale: Float, weight: Tensor, bias: Tensor?
  ) throws(ComputeError) {
    precondition(d.rows == x.rows && weight.rows == d.columns && weight.columns == x.columns)
    let product = GradientProduct(
      a: d, b: x, c: weight, transposedA: true, scale: scale, adding: true)
    if product.isAligned { try run(product) } else { try run(irregular: product, bias: nil) }
    guard let bias else { return }
    precondition(bias.columns == d.columns)
    try addColumnSums(of: d, scale: scale, to: bias)
  }

  private func run(_ product: GradientProduct) throws(ComputeError) {
    guard product.c.rows > 0, product.inner > 0 else { return }
    device.enter()
    try device.products.multiply(product, workspace: productWorkspace, stream: stream)
  }

  private func run(irregular product: GradientProduct, bias: Tensor?) throws(ComputeError) {
    let (a, b, c) = (product.a, product.b, product.c)
    let (aRow, aColumn) = product.transposedA ? (1, a.stride) : (a.stride, 1)
    let (bRow, bColumn) = product.transposedB ? (1, b.stride) : (b.stride, 1)
    try launch(
      kernel("product", in: "products.cu", a, b, c),
      grid: ((c.columns + 63) / 64, (c.rows + 63) / 64), block: 256,
      [
        .tensor(a), .count(aRow), .count(aColumn), .tensor(b), .count(bRow), .count(bColumn),
        .tensor(c), .count(c.stride), .int(c.rows), .int(c.columns), .int(product.inner),
        .float(product.scale), .int(product.adding ? 1 : 0), .address(bias?.address ?? 0),
      ])
  }

  /// The bf16 copy of an fp32 parameter, made anew if the parameter has changed.
  private func shadow(of weight: Tensor) throws(ComputeError) -> Tensor {
    guard weight.type == .float32,
      let range = device.range(containing: weight.address)
    else { preconditionFailure("a weight that is no fp32 tensor of this device") }
    let copy = try device.shadows.copy(of: range) { bytes throws(ComputeError) in
      try device.allocate(bytes, flag: "--token-budget")
    }
    if copy.isStale {
      let count = range.count / 4
      try convert(
        Tensor(address: range.lowerBound, rows: 1, columns: count),
        into: Tensor(address: copy.address, rows: 1, columns: count, type: .bfloat16))
    }
    return Tensor(
      address: copy.address + (weight.address - range.lowerBound) / 2, rows: weight.rows,
      columns: weight.columns, stride: weight.stride, type: .bfloat16)
  }
}
