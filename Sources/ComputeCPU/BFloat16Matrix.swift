internal import CSIMD
internal import Compute

/// A frozen linear map in bfloat16, half of its size in fp32; see docs/numerics.md.
@safe final class BFloat16Matrix: Matrix {
  let outputs: Int
  let inputs: Int
  private let memory: WeightArena.Run
  /// Points into `memory`.
  @safe nonisolated(unsafe) let view: csimd_bf16_matrix

  var byteCount: Int { memory.byteCount }

  init(
    _ matrix: HostMatrix, backend: CPUBackend, arena: inout WeightArena
  ) throws(ComputeError) {
    outputs = matrix.outputs
    inputs = matrix.inputs
    memory = try arena.take(
      byteCount: unsafe csimd_packed_bf16(backend.context, matrix.outputs, matrix.inputs),
      from: backend)
    let panels = memory.floats
    view = unsafe matrix.weight.withUnsafeBufferPointer { weight in
      unsafe (matrix.bias ?? []).withUnsafeBufferPointer { bias in
        unsafe csimd_pack_bf16(
          backend.context, panels.floats, weight.baseAddress,
          matrix.bias == nil ? nil : bias.baseAddress, matrix.outputs, matrix.inputs)
      }
    }
  }
}
