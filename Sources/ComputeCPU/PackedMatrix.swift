internal import CSIMD
internal import Compute

/// A frozen linear map in the order that the matmul's register tile reads it.
@safe final class PackedMatrix: Matrix {
  let outputs: Int
  let inputs: Int
  private let memory: WeightArena.Run
  /// Points into `memory`.
  @safe nonisolated(unsafe) let view: csimd_matrix

  var byteCount: Int { memory.byteCount }

  /// Bytes that a matrix takes of an arena.
  static func byteCount(_ matrix: HostMatrix, backend: CPUBackend) -> Int {
    let count = unsafe csimd_packed_count(backend.context, matrix.outputs, matrix.inputs)
    return count * MemoryLayout<Float>.stride
  }

  /// `arena` is for matrices that live as long as each other.
  init(
    _ matrix: HostMatrix, scale: Float = 1, backend: CPUBackend, arena: inout WeightArena
  ) throws(ComputeError) {
    outputs = matrix.outputs
    inputs = matrix.inputs
    memory = try arena.take(
      byteCount: Self.byteCount(matrix, backend: backend), from: backend)
    let panels = memory.floats
    view = unsafe matrix.weight.withUnsafeBufferPointer { weight in
      unsafe (matrix.bias ?? []).withUnsafeBufferPointer { bias in
        unsafe csimd_pack(
          backend.context, panels.floats, weight.baseAddress,
          matrix.bias == nil ? nil : bias.baseAddress, matrix.outputs, matrix.inputs, scale)
      }
    }
  }
}
