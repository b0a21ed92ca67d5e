package import Compute
internal import Foundation

extension CUDABackend {
  package func squaredSum(_ x: Tensor) throws(ComputeError) -> Double {
    let parts = try squaredPartials(x)
    return try total(parts.0, count: parts.count)
  }

  package func adamW(_ state: AdamWState, step: AdamWStep) throws(ComputeError) {
    try adamW([(state, step.decay)], step: step, scale: 0)
  }

  package func adamW(
    _ list: [(state: AdamWState, decay: Float)], gradients: Tensor, step: AdamWStep,
    clipNorm: Double, norm: Tensor
  ) throws(ComputeError) {
    let (partials, count) = try squaredPartials(gradients)
    let scale = try buffers.take(4)
    try launch(
      device.kernel("clip", in: "sums.cu", ["TYPE=float"]), grid: (1, 1), block: 256,
      [
        .address(partials.address), .int(count), .float(Float(clipNorm)), .tensor(norm),
        .address(scale.address),
      ])
    try adamW(list, step: step, scale: scale.address)
    withExtendedLifetime(scale) {}
  }

  /// As kernels/optimizer.cu has it.
  private struct Part: BitwiseCopyable {
    var value, gradient, mean, square: UInt
    var count, firstBlock: Int32
    var decay: Float
    var unused: Float = 0
  }

  /// `scale`: address of a further factor of the gradients, or 0.
  private func adamW(
    _ list: [(state: AdamWState, decay: Float)], step: AdamWStep, scale: UInt
  ) throws(ComputeError) {
    var parts: [Part] = []
    var blocks = 0
    for (state, decay) in list {
      let count = state.value.count
      precondition(
        [state.value, state.gradient, state.mean, state.square].allSatisfy {
          $0.count == count && $0.isContiguous && $0.type == .float32
        })
      device.shadows.changed(state.value.address)
      parts.append(
        Part(
          value: state.value.address, gradient: state.gradient.address, mean: state.mean.address,
          square: state.square.address, count: Int32(count), firstBlock: Int32(blocks),
          decay: decay))
      blocks += (count + 2047) / 2048
    }
    let power = Double(step.number)
    let table = try table(parts)
    try launch(
      device.kernel("adamW", in: "optimizer.cu", []), grid: (blocks, 1), block: 256,
      [
        .address(table.address), .int(parts.count), .float(step.rate), .float(step.beta1),
        .float(step.beta2), .float(step.epsilon),
        .float(Float(1 / (1 - pow(Double(step.beta1), power)))),
        .float(Float(1 / (1 - pow(Double(step.beta2), power)))), .float(step.gradientScale),
        .address(scale),
      ])
  }
}
