package import Model

/// How a vBERT is trained. docs/accuracy.md says what the defaults reach.
package struct TrainingOptions: Sendable, Equatable {
  /// Most passes over the data.
  package var epochs = 10
  /// Peak learning rate; `rate(for:)` is what training takes when nobody says another.
  package var rate: Float = 1e-3
  /// Rows a step.
  package var batch = 32
  /// What the head's rate is of that; nil: what suits the base (`HeadRate`), or 1 where the base trains too.
  package var headRate: Float?
  package var seed: UInt64 = 1
  /// On the head's input, and on the adapters' outputs.
  package var dropout: Float = 0.1
  package var adapterDropout: Float = 0
  package var classWeights = ClassWeights.none
  /// Epochs without a better result on dev after which training ends; 0: never.
  package var patience = 4
  /// Share of the steps over which the rate rises.
  package var warmup = 0.06
  package var decay: Float = 0.01
  package var clipNorm = 1.0
  /// Share of the rows kept back for measuring where no dev file is given.
  package var devShare = 0.1
  /// Tokens run at once: larger batches are cut, their gradients add up.
  package var tokenBudget = 2048
  /// Bytes of frozen states that are kept instead of computed anew.
  package var stateBytes = 2 << 30
  /// What an embedder lowers; nil: what suits its rows.
  package var loss: EmbeddingLoss?
  /// Sizes that an embedder's vectors may be cut to; empty: as it was before.
  package var dimensions: [Int] = []

  /// Steps after which it is over, if that is before the last epoch's end.
  var mostSteps: Int?

  /// By epochs, unless their number is chosen.
  static let leastSteps = 300

  package enum ClassWeights: String, Sendable, CaseIterable {
    case none, balanced
  }

  package init() {}

  /// Passes over so many rows: few are gone over more often, unless somebody says how often.
  package func epochs(rows: Int) -> Int {
    max(epochs, min(100, Self.leastSteps * batch / max(1, rows)))
  }

  /// What the options of one training may be; what a row costs bounds `batch`. Throws
  /// `TrainingOptionProblem`.
  package func check() throws(TrainingOptionProblem) {
    guard 1...1000 ~= epochs else { throw .outside("epochs", "1 to 1000") }
    guard 1...4096 ~= batch else { throw .outside("batch", "1 to 4096") }
    guard rate > 0, rate < 10 else { throw .outside("lr", "above 0 and below 10") }
    guard headRate.map({ $0 > 0 && $0 <= 1000 }) ?? true else {
      throw .outside("head-rate", "above 0, at most 1000")
    }
    guard 0..<1 ~= dropout else { throw .outside("dropout", "at least 0 and below 1") }
    guard 0..<1 ~= adapterDropout else {
      throw .outside("adapter-dropout", "at least 0 and below 1")
    }
    guard patience >= 0 else { throw .outside("patience", "0 or more") }
  }

  /// The peak learning rate that suits the vBERT's head and adapter (docs/accuracy.md). A LoRA of high
  /// rank moves further at the same rate: labels of whole texts suffer first. An embedder's states are its
  /// answer, which a high rate takes away from what was never shown.
  package static func rate(for spec: VBertSpec) -> Float {
    if spec.task == .embed { return 3e-4 }
    guard case .lora(let rank, _, _) = spec.adapter, rank > 16 else { return 1e-3 }
    switch spec.task {
    case .classify, .multilabel: return 5e-4
    case .score, .tag, .embed: return 1e-3
    }
  }
}

/// An option of a training that is not what it may be.
package enum TrainingOptionProblem: Error, Equatable, CustomStringConvertible {
  case outside(String, String)
  /// What is of few rows alone.
  case byEpochs(String)
  /// Of an embedder.
  case embedderByEpochs(String)
  /// What is of an adapter alone, and what has none to tune.
  case tunesNothing(String, String)
  case effortAndEpochs

  package var description: String {
    switch self {
    case .outside(let option, let range): "\(option) must be \(range)"
    case .byEpochs(let option):
      "--\(option) is for few rows: up to \(FewRows.most) of a classifier, \(FewRows.mostOthers) of tags, scores or several "
        + "labels; this training goes by epochs: leave it out"
    case .embedderByEpochs(let option):
      "--\(option) is for few rows of other tasks; an embedder goes by epochs: leave it out"
    case .tunesNothing(let option, let what):
      "--\(option) is an adapter's: \(what) tunes none; leave it out"
    case .effortAndEpochs:
      "effort does not go by epochs: leave it out, or the options of epochs on the command line"
    }
  }
}
