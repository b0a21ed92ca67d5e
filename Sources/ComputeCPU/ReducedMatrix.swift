internal import CSIMD
internal import Compute

/// A frozen linear map in bfloat16 or in bytes, half or a quarter of its size in fp32; see docs/numerics.md.
@safe final class ReducedMatrix: Matrix {
  let outputs: Int
  let inputs: Int
  private let memory: WeightArena.Run
  /// Points into `memory`.
  @safe nonisolated(unsafe) let view: csimd_reduced_matrix

  var byteCount: Int { memory.byteCount }

  init(
    _ matrix: HostMatrix, _ type: csimd_type, backend: CPUBackend, arena: inout WeightArena
  ) throws(ComputeError) {
    outputs = matrix.outputs
    inputs = matrix.inputs
    memory = try arena.take(
      byteCount: unsafe csimd_packed_reduced(
        backend.context, type, matrix.outputs, matrix.inputs), from: backend)
    let panels = memory.floats
    view = unsafe matrix.weight.withUnsafeBufferPointer { weight in
      unsafe (matrix.bias ?? []).withUnsafeBufferPointer { bias in
        unsafe csimd_pack_reduced(
          backend.context, type, panels.floats, weight.baseAddress,
          matrix.bias == nil ? nil : bias.baseAddress, matrix.outputs, matrix.inputs)
      }
    }
  }
}
