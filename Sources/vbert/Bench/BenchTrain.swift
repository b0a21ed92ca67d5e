import ArgumentParser
import Compute
import ComputeCUDA
import Foundation
import GPUBench
import Model
import Trainer

/// `vbert bench train`: how fast a device distils.
struct BenchTrain: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train", abstract: "Tokens a second of distillation, MiniLM's shape at skip 2.",
    discussion: "Weights and text are made up: speed does not depend on them.")

  @OptionGroup var global: GlobalOptions
  @OptionGroup var device: DeviceOptions
  @Option(help: "Tokens a step.") var tokens = 65_536
  @Option(help: "Steps that are timed.") var steps = 40
  @Option(help: "The device's operations a second in matrix products, for their share.")
  var peak = 989e12

  func validate() throws {
    guard 256...1 << 20 ~= tokens else { throw ValidationError("--tokens must be 256 to 1048576") }
    guard 4...100_000 ~= steps else { throw ValidationError("--steps must be 4 to 100000") }
  }

  private struct Report: Encodable {
    var device: String
    var tokensPerSecond: Double
    var stepMilliseconds: Double
    var tokensPerStep: Double
    var distinctShare: Double
    var operationsPerToken: Double
    var share: Double
    /// Milliseconds of each part, when every part is waited for.
    var parts: [String: Double]
    var loss: Float
  }

  func run() throws {
    let lane = try Device(device).lane()
    guard let backend = lane as? any TrainableBackend else {
      throw ComputeError.unsupported("training on \(lane.name)")
    }
    func finish() throws(ComputeError) { try (lane as? CUDABackend)?.finish() }
    func shape(skip: Int) -> Configuration {
      Configuration(
        vocabularySize: 30_522, hiddenSize: 384, layerCount: 6, headCount: 12,
        intermediateSize: 1536, maxPositions: 512, skipDepth: skip)
    }
    let bench = try DistillationBench(
      source: RandomWeights(configuration: shape(skip: 2)), teacher: shape(skip: 0),
      student: shape(skip: 2), backend: backend, tokens: tokens)
    let clock = ContinuousClock()
    for _ in 0..<4 { try bench.step() }
    try bench.clearLoss()
    var seconds: [Double] = []
    for _ in 0..<3 {
      try finish()
      let start = clock.now
      for _ in 0..<max(1, steps / 3) { try bench.step() }
      try finish()
      seconds.append((clock.now - start) / .seconds(1) / Double(max(1, steps / 3)))
    }
    let loss = try bench.loss() / Float(3 * max(1, steps / 3))
    var parts: [String: Double] = [:]
    for _ in 0..<4 {
      var start = clock.now
      try bench.step { part throws(ComputeError) in
        try finish()
        parts[part.rawValue, default: 0] += (clock.now - start) / .milliseconds(1) / 4
        start = clock.now
      }
    }
    let step = seconds.sorted()[1]
    let report = Report(
      device: lane.name, tokensPerSecond: bench.tokens / step, stepMilliseconds: step * 1e3,
      tokensPerStep: bench.tokens, distinctShare: bench.distinctShare,
      operationsPerToken: bench.operationsPerToken,
      share: bench.operationsPerToken * bench.tokens / step / peak, parts: parts, loss: loss)
    if global.json { return try Output.json(report) }
    print(
      String(
        format: "%@: %.0f tokens/s, %.2f ms a step of %.0f tokens (%.2f distinct n-grams a token), "
          + "%.0f million operations a token, %.1f%% of the peak; loss %.4f",
        report.device, report.tokensPerSecond, report.stepMilliseconds, report.tokensPerStep,
        report.distinctShare, report.operationsPerToken / 1e6, report.share * 100, report.loss))
    for part in DistillationBench.Part.allCases {
      print(String(format: "  %@ %.2f ms", part.rawValue, parts[part.rawValue] ?? 0))
    }
  }
}
