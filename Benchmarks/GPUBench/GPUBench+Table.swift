internal import Compute
internal import ComputeCUDA
internal import Foundation
internal import Model

extension GPUBench {
  /// Zipf traffic over a PLOT of ten million n-grams: all of it in device memory, then a device cache of
  /// a tenth before rows in host memory. The host's rows are 262,144 different ones, each standing for
  /// many n-grams: their bytes do not matter, that they lie anywhere does.
  func table(_ model: BenchModel, _ residents: Residents) throws {
    let (grams, size) = (10_000_000, options.batches.max() ?? 1024)
    let hidden = model.configuration.hiddenSize
    let lengths = [Int](repeating: 128, count: size)
    var zipf = Zipf(count: grams, seed: 11)
    do {
      let all = try DeviceRows(grams, hidden: hidden, lane: lane)
      let inputs = try (0..<4).map { n in
        var input = try BenchInput(model, lengths: lengths, residents, all, seed: UInt64(n + 1))
        input.rows = input.rows.map { _ in all.row(zipf.next() % all.count) }
        return input
      }
      add(
        try measure("table", "BERT-base", "10 M n-grams on the device", model, inputs))
    }
    let host = HostRows(1 << 18, hidden: hidden)
    let cache = try CUDARowCache(
      device: device, byteCount: grams / 10 * (host.stride + 12), hidden: hidden, type: .float16)
    func draw() -> [UInt64] {
      lengths.flatMap { n in (0..<n).map { _ in UInt64(zipf.next() + 1) } }
    }
    func find(_ keys: [UInt64]) throws -> CachedRows {
      try cache.rows(for: keys) { places in places.map { host.row(keys[$0]) } }
    }
    for _ in 0..<(options.isShort ? 10 : 60) { _ = try find(draw()) }
    let base = try BenchInput(
      model, lengths: lengths, residents, nil, seed: 3)
    var seconds: [Double] = []
    var lookups: [Double] = []
    let (asked, copied) = (cache.asked, cache.copied)
    let batches = options.isShort ? 6 : 20
    for _ in 0..<3 {
      let keys = (0..<batches).map { _ in draw() }
      let start = ContinuousClock.now
      var next = try find(keys[0])
      var running: [(rows: CachedRows, mark: LaneMark)] = []
      for n in 0..<batches {
        var input = base
        input.rows = next.rows
        _ = try model.start(input)
        running.append((next, try LaneMark(lane)))
        // The oldest batch's rows are let go when it is done: one is prepared while one runs.
        if running.count > 1 { try running.removeFirst().mark.wait() }
        let begin = ContinuousClock.now
        if n + 1 < batches { next = try find(keys[n + 1]) }
        lookups.append((ContinuousClock.now - begin) / .milliseconds(1))
      }
      try lane.finish()
      seconds.append((ContinuousClock.now - start) / .seconds(1) / Double(batches))
      withExtendedLifetime(running) {}
    }
    seconds.sort()
    add(
      BenchReport.Throughput(
        section: "table", shape: "BERT-base", what: "10 M n-grams, a tenth on the device",
        batch: size, tokens: 128 * size, sequencesPerSecond: Double(size) / seconds[1],
        bestSequencesPerSecond: Double(size) / seconds[0], milliseconds: seconds[1] * 1e3))
    let rate = Double(cache.copied - copied) / Double(cache.asked - asked)
    note(
      String(
        format: "  %.1f%% of tokens' rows copied from the host; a look-up with copies %.1f ms",
        100 * rate, lookups.sorted()[lookups.count / 2]))
  }
}

/// Ranks 0 ..< count, rank r with a probability of about 1 / (r + 1): the inverse of the integral.
struct Zipf {
  private let count: Double
  private var noise: Noise

  init(count: Int, seed: UInt64) {
    self.count = Double(count)
    noise = Noise(seed: seed)
  }

  mutating func next() -> Int {
    let u = Double(noise.next()) / Double(1 << 31)
    return min(Int(pow(count + 1, u)) - 1, Int(count) - 1)
  }
}

/// fp16 rows of [3, hidden] in ordinary host memory.
@safe final class HostRows {
  /// From one row to the next.
  let stride: Int
  private let count: Int
  private let memory: UnsafeMutableRawBufferPointer

  init(_ count: Int, hidden: Int) {
    self.count = count
    stride = NGramRow.byteCount(hidden: hidden, type: .float16)
    unsafe memory = .allocate(byteCount: count * stride, alignment: 64)
    // 0.01 to 0.5, by bits of fp16.
    var noise = Noise(seed: 9)
    let block = (0..<stride / 2).map { _ in UInt16(0x2000 + noise.whole(below: 0x1800)) }
    unsafe block.withUnsafeBytes { block in
      for row in 0..<count {
        unsafe UnsafeMutableRawBufferPointer(
          rebasing: memory[row * stride..<(row + 1) * stride]
        ).copyMemory(from: block)
      }
    }
  }

  deinit { unsafe memory.deallocate() }

  func row(_ key: UInt64) -> NGramRow {
    let number = Int(key &* 0x9E37_79B9_7F4A_7C15 >> 32) % count
    return NGramRow(
      address: unsafe UInt(bitPattern: memory.baseAddress) + UInt(number * stride), type: .float16)
  }
}
