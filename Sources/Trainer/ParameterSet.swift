package import Compute

/// Named fp32 tensors in one allocation.
final class TensorStore {
  private let buffer: DeviceBuffer
  private let offsets: [String: (offset: Int, shape: [Int])]
  /// All values as one row, padding (zeros) included.
  let flat: Tensor

  /// `shapes` in the order of memory; contents are zeros.
  init(_ shapes: [(name: String, shape: [Int])], backend: any TrainableBackend)
    throws(ComputeError)
  {
    var offsets: [String: (Int, [Int])] = [:]
    var bytes = 0
    for (name, shape) in shapes {
      offsets[name] = (bytes, shape)
      bytes += Workspace.bytes(rows: 1, columns: shape.reduce(1, *))
    }
    buffer = try backend.allocate(byteCount: bytes)
    flat = buffer.tensor(rows: 1, columns: bytes / MemoryLayout<Float>.size)
    self.offsets = offsets
    if bytes > 0 { try backend.fill(flat, with: 0) }
  }

  /// The tensor of that name, [n] as [1, n]; nil when there is none.
  subscript(name: String) -> Tensor? {
    guard let (offset, shape) = offsets[name] else { return nil }
    return buffer.tensor(
      rows: shape.count > 1 ? shape[0] : 1, columns: shape.last ?? 1, offset: offset)
  }
}

/// A trained tensor and the sum of its gradients.
package struct Parameter: Sendable {
  package let value: Tensor
  package let gradient: Tensor
}

/// Everything that one optimiser trains: values, gradients and AdamW's moments, by name.
package final class ParameterSet {
  package struct Initial {
    var name: String
    /// One or two dimensions; weight decay is for two.
    var shape: [Int]
    var values: [Float]

    package init(_ name: String, shape: [Int], _ values: [Float]) {
      precondition(values.count == shape.reduce(1, *) && 1...2 ~= shape.count)
      (self.name, self.shape, self.values) = (name, shape, values)
    }
  }

  package let shapes: [(name: String, shape: [Int])]
  private let backend: any TrainableBackend
  private let values, gradients, means, squares: TensorStore
  private let norm: TensorStore

  package init(_ list: [Initial], backend: any TrainableBackend) throws(ComputeError) {
    shapes = list.map { ($0.name, $0.shape) }
    self.backend = backend
    values = try TensorStore(shapes, backend: backend)
    gradients = try TensorStore(shapes, backend: backend)
    means = try TensorStore(shapes, backend: backend)
    squares = try TensorStore(shapes, backend: backend)
    norm = try TensorStore([("norm", [1])], backend: backend)
    for initial in list { try backend.upload(initial.values, to: require(initial.name).value) }
  }

  /// nil when no parameter has that name: the tensor is frozen.
  package subscript(name: String) -> Parameter? {
    guard let value = values[name], let gradient = gradients[name] else { return nil }
    return Parameter(value: value, gradient: gradient)
  }

  func require(_ name: String) -> Parameter {
    guard let parameter = self[name] else { preconditionFailure("no parameter \(name)") }
    return parameter
  }

  package func value(of name: String) throws(ComputeError) -> [Float] {
    try backend.download(require(name).value)
  }

  package func gradient(of name: String) throws(ComputeError) -> [Float] {
    try backend.download(require(name).gradient)
  }

  /// All values at once, to be put back by `restore`: the best epoch.
  func snapshot() throws(ComputeError) -> [Float] { try backend.download(values.flat) }
  func restore(_ snapshot: [Float]) throws(ComputeError) {
    try backend.upload(snapshot, to: values.flat)
  }

  package func clearGradients() throws(ComputeError) { try backend.fill(gradients.flat, with: 0) }

  /// Global L2 norm of all gradients.
  package func gradientNorm() throws(ComputeError) -> Double {
    try backend.squaredSum(gradients.flat).squareRoot()
  }

  /// AdamW on every tensor, those of two dimensions with `decay`; gradients are first scaled down to
  /// the global norm `clipNorm`.
  func adamW(_ step: AdamWStep, decay: Float, clipNorm: Double) throws(ComputeError) {
    let list = shapes.map { name, shape in
      (state: optimizerState(of: name), decay: shape.count > 1 ? decay : 0)
    }
    try backend.adamW(
      list, gradients: gradients.flat, step: step, clipNorm: clipNorm,
      norm: norm.flat.columns(0..<1))
  }

  func optimizerState(of name: String) -> AdamWState {
    guard let mean = means[name], let square = squares[name] else {
      preconditionFailure("no parameter \(name)")
    }
    let parameter = require(name)
    return AdamWState(
      value: parameter.value, gradient: parameter.gradient, mean: mean, square: square)
  }
}

extension Backend {
  package func upload(_ values: [Float], to tensor: Tensor) throws(ComputeError) {
    try unsafe values.withUnsafeBufferPointer { values throws(ComputeError) in
      unsafe try upload(values, to: tensor)
    }
  }

  package func download(_ tensor: Tensor) throws(ComputeError) -> [Float] {
    var values = [Float](repeating: 0, count: tensor.count)
    try unsafe values.withUnsafeMutableBufferPointer { values throws(ComputeError) in
      unsafe try download(tensor, into: values)
    }
    return values
  }
}
