internal import Compute
internal import ComputeCUDA

/// n-gram rows in bf16 in device memory: a block of noise, repeated.
final class DeviceRows {
  let count: Int
  private let hidden: Int
  private let buffer: DeviceBuffer

  /// At least 4,096 rows; rounded down to a multiple of that.
  init(_ wanted: Int, hidden: Int, lane: CUDABackend) throws {
    let step = 4096
    count = wanted / step * step
    self.hidden = hidden
    buffer = try lane.allocate(byteCount: count * 3 * hidden * 2)
    func block(_ first: Int) -> Tensor {
      buffer.tensor(
        rows: step, columns: 3 * hidden, type: .bfloat16, offset: first * 3 * hidden * 2)
    }
    let noise = Runner(lane, seed: 5).noise(step * 3 * hidden)
    unsafe try noise.withUnsafeBufferPointer { unsafe try lane.upload($0, to: block(0)) }
    for first in stride(from: step, to: count, by: step) {
      try lane.copy(block(0), to: block(first))
    }
    try lane.finish()
  }

  func row(_ number: Int) -> NGramRow {
    NGramRow(address: buffer.address + UInt(number * 3 * hidden * 2), type: .bfloat16)
  }
}
