internal import CSIMD
internal import Compute

/// A frozen linear map in the order that the matmul's register tile reads it.
@safe final class PackedMatrix: Matrix {
  let outputs: Int
  let inputs: Int
  private let memory: DeviceBuffer
  /// Points into `memory`.
  @safe nonisolated(unsafe) let view: csimd_matrix

  var byteCount: Int { memory.byteCount }

  init(_ matrix: HostMatrix, scale: Float = 1, backend: CPUBackend) throws(ComputeError) {
    outputs = matrix.outputs
    inputs = matrix.inputs
    let count = unsafe csimd_packed_count(backend.context, matrix.outputs, matrix.inputs)
    memory = try backend.allocate(byteCount: count * MemoryLayout<Float>.stride)
    let panels = memory.tensor(rows: 1, columns: count)
    view = unsafe matrix.weight.withUnsafeBufferPointer { weight in
      unsafe (matrix.bias ?? []).withUnsafeBufferPointer { bias in
        unsafe csimd_pack(
          backend.context, panels.floats, weight.baseAddress,
          matrix.bias == nil ? nil : bias.baseAddress, matrix.outputs, matrix.inputs, scale)
      }
    }
  }
}
