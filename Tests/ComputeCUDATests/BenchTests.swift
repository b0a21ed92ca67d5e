import ComputeCUDA
import Model
import Testing

@testable import GPUBench

extension BackendLogicTests {
  /// The bench's own logic on the fake driver: every part that needs no number from a GPU.
  @Test func theBenchRuns() throws {
    let lane = try backend()
    let tiny = Configuration(
      vocabularySize: 50, hiddenSize: 32, layerCount: 3, headCount: 2, intermediateSize: 64,
      maxPositions: 128, skipDepth: 1)
    var options = GPUBench.Options()
    options.batches = [2, 4]
    options.vBERTs = 8
    options.crowd = 20
    options.lengths = [3, 9, 40]
    options.isShort = true
    var lines: [String] = []
    let bench = try GPUBench(lane.device, options: options) { lines.append($0) }
    let model = try BenchModel(tiny, lane: bench.lane, tokenBudget: 4 * 128)
    let rows = try DeviceRows(4096, hidden: 32, lane: bench.lane)
    try bench.streaming(model, rows)
    try bench.crowd(model, rows)
    try bench.lengths(model, bench.residents(8, tiny), rows)
    #expect(
      bench.report.throughput.map(\.section)
        == ["streaming", "streaming", "crowd", "crowd", "lengths", "lengths"])
    #expect(bench.report.throughput.allSatisfy { $0.sequencesPerSecond > 0 })
    #expect(lines.contains { $0.contains("24 vBERTs, overlap off") })
  }
}
