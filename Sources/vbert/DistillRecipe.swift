import ArgumentParser
import Foundation
import Trainer

/// Everything that decides what `vbert distill` makes of a text.
struct DistillRecipe: ParsableArguments {
  private static let standard = DistillationOptions()

  @Option(help: "Tokens a step (default: 4096 on a CPU, 32768 on a GPU).") var budget: Int?
  @Option(help: "Peak learning rate.") var lr = standard.rate
  @Option(help: "Steps over which the rate rises.") var warmup = standard.warmup
  @Option(help: "Weight decay.") var decay = standard.decay
  @Option(help: "The same seed and --tokens give the same result.") var seed = standard.seed
  @Option(help: "Longest sequence in tokens.") var maxLength = standard.mix.maxLength
  @Option(help: "Share of pairs among the sequences.") var pairs = standard.mix.pairs
  @Option(help: "Share of sequences with n-grams backed off, as fallback reads them.")
  var backOff = standard.mix.backOff
  @Option(help: "Weight of the states' error.") var hidden = standard.weights.hidden
  @Option(help: "Weight of the last states' error, beside that.") var last = standard.weights.last
  @Option(help: "Weight of the attention scores' error.") var scores = standard.weights.scores
  @Option(help: "Weight of the value relations' error.") var values = standard.weights.values
  @Option(help: "Weight of the mean states' error.") var pooled = standard.weights.pooled
  @Flag(help: "Divide states' errors by the teacher's variance in that layer.")
  var byVariance = false

  func validate() throws {
    guard (16...65536).contains(maxLength), budget ?? 1 << 20 >= 2 * maxLength,
      budget ?? 0 <= 1 << 20
    else {
      throw ValidationError(
        "--max-length must be 16...65536, --budget at least twice that and at most 1048576")
    }
    guard lr > 0, lr < 1, warmup >= 0, 0..<1 ~= decay else {
      throw ValidationError("--lr must be in 0...1, --warmup at least 0, --decay in 0..<1")
    }
    guard 0...1 ~= pairs, 0...1 ~= backOff else {
      throw ValidationError("--pairs and --back-off are shares: 0...1")
    }
    let weights = [hidden, last, scores, values, pooled]
    guard weights.allSatisfy({ $0 >= 0 && $0 < 1e6 }), weights.contains(where: { $0 > 0 }) else {
      throw ValidationError("weights must not be negative, and one must be above 0")
    }
  }

  /// `longest`: what the base can read.
  func options(longest: Int, on device: Device) -> DistillationOptions {
    var options = DistillationOptions()
    options.budget = max(budget ?? device.batch.tokens, 2 * min(maxLength, longest))
    options.rate = lr
    options.warmup = warmup
    options.decay = decay
    options.seed = seed
    options.mix.maxLength = min(maxLength, longest)
    options.mix.pairs = pairs
    options.mix.backOff = backOff
    options.weights.hidden = hidden
    options.weights.last = last
    options.weights.scores = scores
    options.weights.values = values
    options.weights.pooled = pooled
    options.weights.byVariance = byVariance
    return options
  }
}

/// "250000", "300K", "141M", "2G".
struct TokenCount: ExpressibleByArgument {
  let count: Int

  init?(argument: String) {
    let units: [Character: Int] = ["K": 1_000, "M": 1_000_000, "G": 1_000_000_000]
    let unit = argument.last.flatMap { units[Character($0.uppercased())] }
    let digits = unit == nil ? argument[...] : argument.dropLast()
    guard let number = Int(digits), number > 0 else { return nil }
    let (product, overflow) = number.multipliedReportingOverflow(by: unit ?? 1)
    guard !overflow else { return nil }
    count = product
  }
}
