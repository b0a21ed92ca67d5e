internal import Compute
internal import ComputeCUDA
internal import Dispatch
internal import Foundation
internal import Model
internal import Synchronization

extension GPUBench {
  /// A working set of twice the pool: half of every batch's adapters come from pinned host memory,
  /// beside the computing of the batch before (overlap on) or in turns with it (off).
  func streaming(_ model: BenchModel, _ table: DeviceRows) throws {
    let size = options.batches.max() ?? 1024
    let count = 6 * size
    let start = ContinuousClock.now
    let adapters = try streamed(count, model.configuration)
    note(
      "\(count) vBERTs, \(adapters.reduce(0) { $0 + $1.byteCount } >> 20) MiB in pinned memory in "
        + String(format: "%.1f s", (ContinuousClock.now - start) / .seconds(1)))
    for overlap in options.overlap {
      let copies = overlap ? try CUDABackend(device: device) : lane
      let stream = AdapterStream(lane: copies, byteCount: count / 2 * adapters[0].byteCount)
      try measure(stream, adapters, model, table, size: size, overlap: overlap)
      try lane.finish()
    }
  }

  private func measure(
    _ stream: AdapterStream, _ adapters: [StreamedAdapter], _ model: BenchModel,
    _ table: DeviceRows, size: Int, overlap: Bool
  ) throws {
    let lengths = [Int](repeating: 128, count: size)
    var random = Noise(seed: 77)
    func wanted() -> [StreamedAdapter] {
      lengths.map { _ in adapters[random.whole(below: adapters.count)] }
    }
    // The pool is full before the clock starts.
    for first in stride(from: 0, to: adapters.count / 2, by: size) {
      _ = try stream.bring(Array(adapters[first..<first + size]))
    }
    let inputs = try (0..<4).map { n in
      try BenchInput(model, lengths: lengths, nil, table, seed: UInt64(n + 1))
    }
    var seconds: [Double] = []
    var copied = 0
    let batches = options.isShort ? 8 : 24
    for run in 0..<4 {
      let (start, before) = (ContinuousClock.now, stream.copiedBytes)
      var next = try stream.bring(wanted())
      var running: [LaneMark] = []
      for n in 0..<batches {
        var input = inputs[n % inputs.count]
        input.setAdapters(next)
        _ = try model.start(input)
        running.append(try LaneMark(lane))
        if n + 1 < batches { next = try stream.bring(wanted()) }
        // One batch waits while one runs.
        if running.count > 1 { try running.removeFirst().wait() }
      }
      try lane.finish()
      // The first run fills what is filled lazily.
      guard run > 0 else { continue }
      seconds.append((ContinuousClock.now - start) / .seconds(1) / Double(batches))
      copied += stream.copiedBytes - before
    }
    seconds.sort()
    add(
      BenchReport.Throughput(
        section: "streaming", shape: "BERT-base",
        what: "\(adapters.count) vBERTs, overlap \(overlap ? "on" : "off")", batch: size,
        tokens: 128 * size, sequencesPerSecond: Double(size) / seconds[1],
        bestSequencesPerSecond: Double(size) / seconds[0], milliseconds: seconds[1] * 1e3))
    note("  \((copied / (3 * batches)) >> 20) MiB copied a batch")
  }

  private func streamed(_ count: Int, _ configuration: Configuration) throws -> [StreamedAdapter] {
    let stream = AdapterStream(lane: lane, byteCount: 0)
    let sources = try Residents.sources(configuration, device: device)
    let kept = Mutex<(adapters: [StreamedAdapter], problem: ComputeError?)>(([], nil))
    DispatchQueue.concurrentPerform(iterations: 8) { i in
      var mine: [StreamedAdapter] = []
      do throws(ComputeError) {
        for n in stride(from: i, to: count, by: 8) {
          mine.append(try stream.keep(sources[n % sources.count]))
        }
        kept.withLock { $0.adapters += mine }
      } catch { kept.withLock { $0.problem = error } }
    }
    if let problem = kept.withLock({ $0.problem }) { throw problem }
    return kept.withLock { $0.adapters }
  }
}
