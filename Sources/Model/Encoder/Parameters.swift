internal import Compute

/// Small fp32 tensors of a base on the device (tables, norms), kept together so that one owner frees
/// them.
final class Parameters: Sendable {
  private let buffer: DeviceBuffer
  private let tensors: [String: Tensor]

  /// Uploads `names`, each with its shape ([n] becomes [1, n]), in one allocation.
  init(
    _ list: [(name: String, shape: [Int])], from source: any TensorSource,
    backend: any Backend
  ) throws {
    var bytes = 0
    for (_, shape) in list {
      bytes += Workspace.bytes(rows: 1, columns: shape.reduce(1, *))
    }
    let buffer = try backend.allocate(byteCount: bytes)
    var tensors: [String: Tensor] = [:]
    var offset = 0
    for (name, shape) in list {
      let values = try source.floats(name, shape: shape)
      let tensor = buffer.tensor(
        rows: shape.count > 1 ? shape[0] : 1, columns: shape[shape.count - 1], offset: offset)
      try unsafe values.withUnsafeBufferPointer { values throws(ComputeError) in
        unsafe try backend.upload(values, to: tensor)
      }
      offset += Workspace.bytes(rows: 1, columns: values.count)
      tensors[name] = tensor
    }
    self.buffer = buffer
    self.tensors = tensors
  }

  /// A tensor of shape [1, n]; it lives as long as this owner.
  func row(_ name: String) throws(WeightsError) -> Tensor {
    guard let tensor = tensors[name] else { throw .missing(name: name) }
    return tensor
  }

  func table(_ name: String) throws(WeightsError) -> Tensor { try row(name) }

  /// The rows of a position table that sequences use, from that of the first token on.
  func positions(_ name: String, _ configuration: Configuration) throws(WeightsError) -> Tensor {
    let table = try table(name)
    return table.rows(configuration.architecture.positionOffset..<table.rows)
  }
}
