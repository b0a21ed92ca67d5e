internal import Foundation

extension GPUBench {
  /// Batches of real text lengths, packed: what a padded engine spends on the longest of each batch.
  func lengths(_ model: BenchModel, _ residents: Residents, _ table: DeviceRows) throws {
    let all = options.lengths
    guard !all.isEmpty else { return note("lengths: give --lengths FILE (Benchmarks/lengths.py)") }
    let mean = Double(all.reduce(0, +)) / Double(all.count)
    for size in options.batches where size > 1 {
      let inputs = try (0..<4).map { n in
        try BenchInput(
          model, lengths: (0..<size).map { all[(n * size + $0) % all.count] }, residents, table,
          seed: UInt64(size * 10 + n))
      }
      add(
        try measure(
          "lengths", "BERT-base",
          String(format: "mean %.1f, %d vBERTs", mean, residents.adapters.count), model, inputs))
    }
  }
}
