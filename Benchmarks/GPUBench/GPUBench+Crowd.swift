internal import ComputeCUDA
internal import Model

extension GPUBench {
  /// As many vBERTs as fit, up to 100,000, beside the first 10,000 of them.
  func crowd(_ model: BenchModel, _ table: DeviceRows) throws {
    var crowd = try residents(options.vBERTs, model.configuration)
    let size = options.batches.max() ?? 1024
    func measure() throws {
      let inputs = try (0..<4).map { n in
        try BenchInput(
          model, lengths: [Int](repeating: 128, count: size), crowd, table,
          seed: UInt64(size * 10 + n))
      }
      add(
        try self.measure(
          "crowd", "BERT-base", "length 128, \(crowd.adapters.count) vBERTs", model, inputs))
    }
    try measure()
    let each = crowd.byteCount / crowd.adapters.count
    let most = min(options.crowd, device.adapterBytes / each)
    guard most > crowd.adapters.count else { return note("crowd: no more than these fit") }
    crowd.add(try residents(most - crowd.adapters.count, model.configuration))
    try measure()
  }
}
