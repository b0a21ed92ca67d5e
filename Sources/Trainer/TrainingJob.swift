package import Compute
package import Model

/// What one vBERT is trained on, and how.
package struct TrainingJob: Sendable {
  package var spec: VBertSpec
  package var train, dev: Examples
  package var options: TrainingOptions
  /// What training on few rows needs; nil: trained by epochs, of which `dev` tells the best. With few rows
  /// `dev`, which may be empty, measures what came out and chooses nothing.
  package var few: FewRows?

  /// `spec` has its labels.
  package init(
    spec: VBertSpec, train: Examples, dev: Examples, options: TrainingOptions,
    few: FewRows? = nil
  ) {
    (self.spec, self.train, self.dev, self.options) = (spec, train, dev, options)
    self.few = few
  }

  private struct JobKind: Hashable {
    let adapters: AdapterTraining.Kind
    let effort: Effort?
    /// Contrast trains without a head.
    let isContrasted: Bool
  }

  /// Jobs of one kind can train together.
  package var kind: AnyHashable {
    AnyHashable(
      JobKind(
        adapters: AdapterTraining.Kind(spec), effort: few?.effort,
        isContrasted: few?.effort == .full && spec.isContrasted))
  }

  /// Tokens that run at once.
  var tokenBudget: Int { max(options.tokenBudget, spec.maxLength) }

  /// One pass over the rows, and what dev rows said then.
  package struct Epoch: Sendable {
    package var number: Int
    package var loss: Double
    package var dev: Scores
    package var isBest: Bool
  }

  package struct Outcome: Sendable {
    package var adapter: HostAdapter
    package var spec: VBertSpec
    package var epochs: [Epoch]
    package var best: Epoch
    /// Training rows gone through, all epochs.
    package var rows: Int
    package var tokens: Int
    package var steps: Int
    /// Where it is not by epochs with dev rows.
    package var recipe: TrainingRecipe?

    /// By what they were measured on and their names.
    package var metrics: [String: Double] {
      let measured = recipe?.measured ?? .dev
      return Dictionary(
        uniqueKeysWithValues: best.dev.values.map { ("\(measured.rawValue)_\($0.key)", $0.value) })
    }
  }
}

/// What is heard of jobs in training; `job` is a job's place among those that train together. A terminal's
/// line, a log and a stream of events read the same.
package enum TrainingEvent: Sendable {
  /// Labels of a vBERT that no row has.
  case unseen(VBertName, [String])
  /// These train together from now on.
  case began([VBertName])
  /// Rows whose frozen states are computed, of all jobs'.
  case preparing(done: Int, of: Int)
  /// Heads found on frozen states, of all that are tried.
  case heads(done: Int, of: Int)
  /// After every step; `loss` is the mean of the epoch so far.
  case step(job: Int, number: Int, of: Int, loss: Double, tokens: Int)
  case epoch(job: Int, TrainingJob.Epoch)
  /// The job has its best epoch's parameters, or an error.
  case ended(job: Int, TrainingError?)
  /// Those that were trained become versions.
  case publishing
  /// A request is at its end: its version is published, or why there is none.
  case finished(TrainingResult)
}

/// How far jobs that train together are: what the events so far add up to.
/// O(1) an event: of a thousand jobs every round has a thousand.
package struct TrainingProgress: Sendable {
  private var steps: [Int: (done: Int, of: Int)] = [:]
  package private(set) var names: [VBertName] = []
  package private(set) var ended = 0
  /// Steps taken, and all that there will be at most.
  package private(set) var done = 0
  package private(set) var all = 0

  package init() {}

  package mutating func hear(_ event: TrainingEvent) {
    switch event {
    case .began(let names): self = TrainingProgress(names)
    case .step(let job, let number, let all, _, _): note(job, done: number, of: all)
    case .ended(let job, _):
      if let done = steps[job]?.done { note(job, done: done, of: done) }
      ended += 1
    case .unseen, .preparing, .heads, .epoch, .publishing, .finished: break
    }
  }

  private init(_ names: [VBertName]) { self.names = names }

  private mutating func note(_ job: Int, done: Int, of all: Int) {
    let before = steps.updateValue((done, all), forKey: job) ?? (0, 0)
    self.done += done - before.done
    self.all += all - before.of
  }

  package var running: Int { names.count - ended }
}

/// What can go wrong in training besides the data and the device.
package enum TrainingError: Error, Equatable, CustomStringConvertible {
  case diverged(step: Int)
  case cancelled
  case nothingToTrain(vbert: String)
  /// What ended all came before its end.
  case stopped
  /// Another vBERT has its name now, or it moved to another base.
  case changed(vbert: String)
  /// It and what its base takes are more than the memory. `enough`: in words of `--memory`.
  case tooLarge(vbert: String, enough: String)

  package var description: String {
    switch self {
    case .diverged(let step):
      "the loss was no longer a number at step \(step); use a lower --lr"
    case .cancelled: "the training was cancelled; nothing was published"
    case .nothingToTrain(let name):
      "\(name) is an embedding model without an adapter, which has nothing to train; create one that learns with: "
        + "vbert create NAME --task embed --adapter \(AdapterSpec.forTrainedEmbedders)"
    case .stopped: "not trained: all was ended before"
    case .changed(let name):
      "\(name) was put on another base while others trained; start its training again"
    case .tooLarge(let name, let enough):
      "\(name), its rows and its base do not fit into --memory; give --memory \(enough), or fewer rows with "
        + "--limit"
    }
  }
}
