package import Compute
internal import Foundation

extension CUDABackend {
  package func squaredSum(_ x: Tensor) throws(ComputeError) -> Double {
    let parts = try squaredPartials(x)
    return try total(parts.0, count: parts.count)
  }

  package func adamW(_ state: AdamWState, step: AdamWStep) throws(ComputeError) {
    let item = AdamWItem(
      [AdamWPart(state, decay: step.decay)], gradients: state.gradient, step: step, clipNorm: 0,
      norm: state.gradient)
    try adamW([item], steps: try table([Step(item)]), scales: 0)
  }

  package func adamW(
    _ list: [AdamWPart], gradients: Tensor, step: AdamWStep,
    clipNorm: Double, norm: Tensor
  ) throws(ComputeError) {
    try adamW([
      AdamWItem(list, gradients: gradients, step: step, clipNorm: clipNorm, norm: norm)
    ])
  }

  package func adamW(_ items: [AdamWItem]) throws(ComputeError) {
    var (list, blocks): ([Gradients], Int) = ([], 0)
    for item in items {
      precondition(item.gradients.isContiguous && item.gradients.type == .float32)
      let count = item.gradients.count
      let mine = (count + CUDABackend.valuesPerSum - 1) / CUDABackend.valuesPerSum
      list.append(
        Gradients(
          values: item.gradients.address, count: UInt64(count), firstBlock: Int32(blocks),
          blocks: Int32(mine)))
      blocks += mine
    }
    let (gradients, steps) = (try table(list), try table(items.map(Step.init)))
    let partials = try buffers.take(8 * blocks)
    let scales = try buffers.take(4 * items.count)
    try launch(
      device.kernel("gradientSquares", in: "optimizer.cu", []), grid: (blocks, 1), block: 256,
      [.address(gradients.address), .int(list.count), .address(partials.address)])
    try launch(
      device.kernel("clips", in: "optimizer.cu", []), grid: (items.count, 1), block: 256,
      [
        .address(gradients.address), .address(partials.address), .address(steps.address),
        .address(scales.address),
      ])
    try adamW(items, steps: steps, scales: scales.address)
    withExtendedLifetime((scales, partials, gradients)) {}
  }

  // As kernels/optimizer.cu has them.

  private struct Gradients: BitwiseCopyable {
    var values: UInt
    var count: UInt64
    var firstBlock, blocks: Int32
  }

  private struct Step: BitwiseCopyable {
    var rate, beta1, beta2, epsilon, correction1, correction2, fixedScale, most: Float
    var norm: UInt

    init(_ item: AdamWItem) {
      let (step, power) = (item.step, Double(item.step.number))
      (rate, beta1, beta2, epsilon) = (step.rate, step.beta1, step.beta2, step.epsilon)
      correction1 = Float(1 / (1 - pow(Double(step.beta1), power)))
      correction2 = Float(1 / (1 - pow(Double(step.beta2), power)))
      (fixedScale, most) = (step.gradientScale, Float(item.clipNorm))
      norm = item.norm.address
    }
  }

  private struct Part: BitwiseCopyable {
    var value, gradient, mean, square: UInt
    var count, firstBlock: Int32
    var decay: Float
    var step: Int32
    var rate: Float
    var unused: Float = 0
  }

  /// `scales`: address of what clipping multiplies each item's gradients by, or 0.
  private func adamW(
    _ items: [AdamWItem], steps: BufferPool.Lent, scales: UInt
  ) throws(ComputeError) {
    var (parts, blocks): ([Part], Int) = ([], 0)
    for (number, item) in items.enumerated() {
      if let first = item.list.first { device.shadows.changed(first.state.value.address) }
      for part in item.list {
        let (state, count) = (part.state, part.state.value.count)
        precondition(
          [state.value, state.gradient, state.mean, state.square].allSatisfy {
            $0.count == count && $0.isContiguous && $0.type == .float32
          })
        parts.append(
          Part(
            value: state.value.address, gradient: state.gradient.address,
            mean: state.mean.address, square: state.square.address, count: Int32(count),
            firstBlock: Int32(blocks), decay: part.decay, step: Int32(number), rate: part.rate))
        blocks += (count + 2047) / 2048
      }
    }
    let table = try table(parts)
    try launch(
      device.kernel("adamW", in: "optimizer.cu", []), grid: (blocks, 1), block: 256,
      [
        .address(table.address), .int(parts.count), .address(steps.address), .address(scales),
      ])
  }
}
