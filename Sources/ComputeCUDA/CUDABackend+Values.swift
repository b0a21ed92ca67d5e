package import Compute

extension CUDABackend {
  /// A kernel for tensors of these types, under the names XTYPE, YTYPE and ZTYPE.
  func kernel(_ name: String, in file: String, _ tensors: Tensor...) throws(ComputeError) -> Kernel
  {
    var defines: [String] = []
    for (letter, tensor) in zip(["XTYPE", "YTYPE", "ZTYPE"], tensors) {
      defines.append("\(letter)=\(try CUDABackend.name(tensor.type))")
    }
    return try device.kernel(name, in: file, defines)
  }

  /// The kernels' name of an element type.
  static func name(_ type: ElementType) throws(ComputeError) -> String {
    switch type {
    case .float32: return "float"
    case .bfloat16: return "u16"
    case .float16, .int8, .int32: throw .unsupported("training on \(type) values")
    }
  }

  /// Runs a kernel of values.cu on so many values.
  private func run(_ kernel: Kernel, count: Int, _ list: [Argument]) throws(ComputeError) {
    try launch(kernel, grid: ((count + 2047) / 2048, 1), block: 256, list)
  }

  package func geluSaving(_ x: Tensor, into out: Tensor) throws(ComputeError) {
    precondition(x.count == out.count && x.isContiguous && out.isContiguous)
    try run(
      kernel("geluSaving", in: "values.cu", x, out), count: x.count,
      [.tensor(x), .tensor(out), .count(x.count)])
  }

  package func multiply(_ x: Tensor, by y: Tensor) throws(ComputeError) {
    precondition(x.count == y.count && x.isContiguous && y.isContiguous)
    try run(
      kernel("multiply", in: "values.cu", x, y), count: x.count,
      [.tensor(x), .tensor(y), .count(x.count)])
  }

  package func add(_ y: Tensor, scale: Float, to x: Tensor) throws(ComputeError) {
    precondition(x.count == y.count && x.isContiguous && y.isContiguous)
    device.shadows.changed(x.address)
    try run(
      kernel("addScaled", in: "values.cu", x, y), count: x.count,
      [.tensor(x), .tensor(y), .float(scale), .count(x.count)])
  }

  package func fill(_ x: Tensor, with value: Float) throws(ComputeError) {
    precondition(x.isContiguous)
    device.shadows.changed(x.address)
    try run(
      kernel("fill", in: "values.cu", x, x), count: x.count,
      [.tensor(x), .float(value), .count(x.count)])
  }

  package func dropout(_ x: Tensor, probability: Float, key: UInt64) throws(ComputeError) {
    precondition(0 <= probability && probability < 1 && x.isContiguous)
    guard probability > 0 else { return }
    try run(
      kernel("dropout", in: "values.cu", x, x), count: x.count,
      [
        .tensor(x), .address(UInt(key)),
        .int(Int(Int32(bitPattern: CUDABackend.threshold(probability)))),
        .float(1 / (1 - probability)), .count(x.count),
      ])
  }

  /// What a draw of 32 bits is held against.
  static func threshold(_ probability: Float) -> UInt32 {
    UInt32((Double(probability) * 0x1p32).rounded())
  }

  /// out = x in out's type.
  func convert(_ x: Tensor, into out: Tensor) throws(ComputeError) {
    try run(
      kernel("convert", in: "values.cu", x, out), count: x.count,
      [.tensor(out), .tensor(x), .count(x.count)])
  }
}
