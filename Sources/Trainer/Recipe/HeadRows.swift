import Compute
import Model

/// One vBERT's rows as a head reads them, computed once: pooled states, or for tags the words' own; behind
/// them the labels' names, where they are texts too.
struct HeadRows {
  let examples: Examples
  let spec: VBertSpec
  let hidden: Int
  /// [feature rows, hidden].
  private let features: [Float]
  /// Of each row, and behind them of each name, its feature rows.
  private let places: [Range<Int>]
  /// A class a feature row; for classes and tags.
  private let classes: [Int32]

  /// `outputs`: of each row, then of each name, what the encoder made of it: the pooled state, or for tags the
  /// states of all tokens.
  init(_ examples: Examples, names: Int, spec: VBertSpec, hidden: Int, outputs: [[Float]]) {
    (self.examples, self.spec, self.hidden) = (examples, spec, hidden)
    var features: [Float] = []
    var places: [Range<Int>] = []
    var classes: [Int32] = []
    for (row, output) in outputs.enumerated() {
      let first = classes.count
      guard row < examples.count else {
        features += output
        classes.append(Int32(row - examples.count))
        places.append(first..<first + 1)
        continue
      }
      switch examples.targets[row] {
      case .tags(let tags):
        for (token, tag) in zip(examples.firstTokens[row], tags) where token >= 0 {
          features += output[token * hidden..<(token + 1) * hidden]
          classes.append(tag)
        }
      case .label(let label):
        features += output
        classes.append(label)
      default:
        features += output
        classes.append(-1)
      }
      places.append(first..<classes.count)
    }
    precondition(outputs.count == examples.count + names)
    if classes.isEmpty {
      // Words without a token, all of them: there is something to compute with, and nothing to learn.
      features = [Float](repeating: 0, count: hidden)
      classes = [-1]
    }
    (self.features, self.places, self.classes) = (features, places, classes)
  }

  var rows: Range<Int> { 0..<examples.count }
  private var names: Range<Int> { examples.count..<places.count }
  var featureRows: Int { classes.count }

  func table(_ backend: any TrainableBackend) throws(ComputeError) -> FeatureTable {
    try FeatureTable(features, hidden: hidden, backend: backend)
  }

  /// The problem over `learnt` rows of `table`, which holds all.
  func problem(
    _ candidate: HeadCandidate, learnt: [Int], _ table: FeatureTable,
    _ backend: any TrainableBackend
  ) throws(ComputeError) -> HeadProblem {
    let outputs = spec.task.outputs(labels: spec.labels.count)
    switch spec.task {
    case .classify, .tag, .embed:
      var masked = [Int32](repeating: -1, count: classes.count)
      for row in learnt + (candidate.usesNames ? Array(names) : []) {
        for place in places[row] { masked[place] = classes[place] }
      }
      return HeadProblem(table, .classes(masked), outputs: outputs, strength: candidate.strength)
    case .multilabel, .score:
      let own = try FeatureTable(
        learnt.flatMap { self.features(of: $0) }, hidden: hidden, backend: backend)
      let targets = examples.batch(learnt, spec: spec, weights: nil).targets
      let wanted: HeadProblem.Targets =
        switch targets {
        case .many(let values, _): .many(values)
        case .scores(let values): .scores(values)
        default: preconditionFailure("\(spec.task) has numbers")
        }
      return HeadProblem(own, wanted, outputs: outputs, strength: candidate.strength)
    }
  }

  private func features(of row: Int) -> ArraySlice<Float> {
    let place = places[row]
    return features[place.lowerBound * hidden..<place.upperBound * hidden]
  }

  /// What `Scores` reads: a row's outputs, for tags at all tokens; zeros where no word begins.
  func outputs(of row: Int, by head: HeadSolution) -> [Float] {
    let place = places[row]
    func say(_ feature: Int) -> [Float] {
      head(features[feature * hidden..<(feature + 1) * hidden])
    }
    guard spec.task == .tag else { return say(place.lowerBound) }
    var logits = [Float](
      repeating: 0, count: examples.sequences[row].count * head.outputs)
    let tokens = examples.firstTokens[row].filter { $0 >= 0 }
    for (token, feature) in zip(tokens, place) {
      logits.replaceSubrange(
        token * head.outputs..<(token + 1) * head.outputs, with: say(feature))
    }
    return logits
  }

  /// How good an answer is, larger is better: rights among a row's labels, words or outputs; for scores the
  /// squared error's negative. Their mean is `VBertTask.choosesBy`.
  func quality(of row: Int, _ logits: [Float]) -> Double {
    switch examples.targets[row] {
    case .label(let label): return Readout.best(logits) == Int(label) ? 1 : 0
    case .tags(let tags):
      let found = Scores.tags(
        logits, firstTokens: examples.firstTokens[row], labels: spec.labels)
      let rights = zip(tags, found).count { spec.labels[Int($0)].utf8.elementsEqual($1.utf8) }
      return Double(rights) / Double(max(1, tags.count))
    case .labels(let labels):
      let rights = logits.indices.count { (logits[$0] >= 0) == labels.contains($0) }
      return Double(rights) / Double(max(1, logits.count))
    case .score(let score):
      let error = Double(logits[0]) - Double(score)
      return -error * error
    case .none: return 0
    }
  }
}

extension VBertTask {
  /// What rows that were held out tell by, where it is not the version's measure, which is of all rows
  /// together.
  var choosesBy: String? {
    switch self {
    case .tag: "right words"
    case .multilabel: "right outputs"
    case .score: "squared error, negative"
    case .classify, .embed: nil
    }
  }
}
