import Compute
import ComputeCPU
import Model
import TestSupport
import Testing
import Trainer

/// Whole training runs on a small random base, whose upper layers are enough to learn from.
@Suite struct TrainingJobTests {
  static let words = ["red", "blue", "green", "cat", "dog", "runs", "sleeps", "the"]

  struct World {
    let configuration: Configuration
    let source: MemoryTensors
    let tokenizer: WordPiece

    init(skip: Int) throws {
      let vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"] + TrainingJobTests.words
      tokenizer = try WordPiece(
        tokenizerJSON: nil, vocabulary: Array((vocabulary.joined(separator: "\n") + "\n").utf8),
        configuration: nil)
      configuration = Configuration(
        vocabularySize: vocabulary.count, hiddenSize: 24, layerCount: 3, headCount: 3,
        intermediateSize: 40, maxPositions: 16, skipDepth: skip)
      var random = SeededGenerator(seed: 5)
      var source = MemoryTensors()
      for (name, shape) in configuration.tensors {
        let isScale = name.hasSuffix("orm.weight")
        source.set(
          name, shape: shape,
          (0..<shape.reduce(1, *)).map { _ in
            (isScale ? 1 : 0) + Float.random(in: -0.3...0.3, using: &random)
          })
      }
      self.source = source
    }

    /// What a vBERT of that task learns from `rows`.
    func prepare(_ rows: [DataRow], task: VBertTask, adapter: String) throws -> (
      spec: VBertSpec, examples: Examples
    ) {
      let data = DataSet(path: "rows", rows: rows)
      let labels = task == .score ? LabelSet([]) : try LabelSet(of: data, task: task)
      let spec = VBertSpec(
        task: task, base: "b", baseHash: "", adapter: try AdapterSpec(parsing: adapter),
        labels: labels.names, maxLength: 16)
      return (
        spec,
        try Examples(data, spec: spec, labels: labels, tokenizer: tokenizer, base: configuration)
      )
    }

    func entry(_ backend: any TrainableBackend) throws -> Entry {
      let base = try BaseModel(source: source, configuration: configuration, backend: backend)
      let lookup =
        configuration.isSkip ? try LocalEncoder(base: base, backend: backend).lookup : nil
      return Entry(
        try UpperEncoder(base: base, backend: backend, tokenBudget: 2048), lookup: lookup)
    }

    /// Trains on `rows`, measures on the same.
    func train(
      _ rows: [DataRow], task: VBertTask, adapter: String = "bottleneck:6", threads: Int = 2,
      trainsBase: Bool = false, change: (inout TrainingOptions) -> Void = { _ in }
    ) throws -> TrainingJob.Outcome {
      let (spec, examples) = try prepare(rows, task: task, adapter: adapter)
      let backend = try CPUBackend(threads: threads)
      var options = TrainingOptions()
      (options.rate, options.epochs, options.batch) = (1e-2, 12, 8)
      change(&options)
      let group = try TrainingGroup(
        [TrainingJob(spec: spec, train: examples, dev: examples, options: options)],
        source: source, entry: entry(backend), configuration: configuration,
        trainsBase: trainsBase, backend: backend, stateBytes: options.stateBytes)
      let outcome = try group.run()[0].get()
      // What is measured again afterwards are the best epoch's parameters.
      #expect(try group.measure(examples).values == outcome.best.dev.values)
      return outcome
    }
  }

  /// Random sentences of three to six words, with what `target` makes of them.
  private func rows(_ count: Int, _ target: ([String]) -> DataRow.Target, tokens: Bool = false)
    -> [DataRow]
  { Self.rows(count, target, tokens: tokens) }

  static func rows(
    _ count: Int, _ target: ([String]) -> DataRow.Target, tokens: Bool = false, seed: UInt64 = 9
  ) -> [DataRow] {
    var random = SeededGenerator(seed: seed)
    return (1...count).map { line in
      let words = (0..<Int.random(in: 3...6, using: &random)).map { _ in
        TrainingJobTests.words.randomElement(using: &random) ?? "the"
      }
      return DataRow(
        line: line, input: tokens ? .words(words) : .text(words.joined(separator: " ")),
        target: target(words))
    }
  }

  /// A head alone, on frozen random states, learns less.
  @Test(arguments: [
    (0, "bottleneck:6", 0.9), (1, "bottleneck:6@both", 0.9), (1, "lora:4", 0.9), (0, "none", 0.65),
  ])
  func learnsToClassify(skip: Int, adapter: String, least: Double) throws {
    let rows = rows(96) { .label($0.contains("cat") ? "cat" : "none") }
    let outcome = try World(skip: skip).train(rows, task: .classify, adapter: adapter) {
      ($0.epochs, $0.patience) = (20, 0)
    }
    #expect(outcome.best.dev.value > least, "\(outcome.epochs.map(\.dev.value))")
    #expect(outcome.adapter.head?.outputs == 2)
    #expect(outcome.epochs.last.map { $0.loss < outcome.epochs[0].loss } == true)
  }

  /// The whole base, from its embeddings on: what adapters are compared with.
  @Test func fineTunesEverything() throws {
    let rows = rows(96) { .label($0.contains("cat") ? "cat" : "none") }
    let outcome = try World(skip: 0).train(rows, task: .classify, adapter: "none", trainsBase: true)
    { ($0.epochs, $0.rate, $0.patience) = (20, 3e-3, 0) }
    #expect(outcome.best.dev.value > 0.95, "\(outcome.epochs.map(\.dev.value))")
  }

  @Test func learnsToTag() throws {
    let rows = rows(
      96,
      { words in .tags(words.map { ["cat", "dog"].contains($0) ? "B-ANIMAL" : "O" }) },
      tokens: true)
    let outcome = try World(skip: 1).train(rows, task: .tag)
    #expect(outcome.best.dev.primary == "span_f1")
    #expect(outcome.best.dev.value > 0.95)
  }

  @Test func learnsManyLabels() throws {
    let rows = rows(128) { words in .labels(["cat", "red", "runs"].filter(words.contains)) }
    let outcome = try World(skip: 0).train(rows, task: .multilabel, adapter: "bottleneck:12@both")
    #expect(outcome.best.dev.value > 0.85)
  }

  @Test func learnsToScore() throws {
    let rows = rows(128) { words in .score(Double(words.count { $0 == "dog" })) }
    let outcome = try World(skip: 0).train(rows, task: .score, adapter: "bottleneck:12@both")
    #expect(outcome.best.dev.value > 0.85)
  }

  /// To the bit, whatever the number of threads and how much of the states is kept.
  @Test func sameSeedSameResult() throws {
    let rows = rows(40) { .label($0.contains("cat") ? "cat" : "none") }
    let world = try World(skip: 1)
    func values(threads: Int, _ change: (inout TrainingOptions) -> Void = { _ in }) throws
      -> [[Float]]
    {
      let outcome = try world.train(rows, task: .classify, threads: threads) {
        ($0.epochs, $0.adapterDropout) = (3, 0.2)
        change(&$0)
      }
      return AdapterFile.tensors(of: outcome.adapter).map(\.values)
    }
    let first = try values(threads: 2)
    #expect(try values(threads: 2) == first)
    #expect(try values(threads: 1) == first)
    #expect(try values(threads: 2) { $0.stateBytes = 5000 } == first)
    #expect(try values(threads: 2) { $0.seed = 2 } != first)
  }

  @Test func stopsEarlyAndKeepsTheBestEpoch() throws {
    // All texts equal, half of them of each label: nothing can be learnt, so no epoch scores better
    // than the first, and patience ends after two more.
    let rows = (1...16).map { line in
      DataRow(line: line, input: .text("the cat"), target: .label(line % 2 == 0 ? "a" : "b"))
    }
    let outcome = try World(skip: 0).train(rows, task: .classify) { $0.patience = 2 }
    #expect(outcome.epochs.count == 3)
    #expect(Set(outcome.epochs.map(\.dev.value)).count == 1)
    let least = outcome.epochs.min { $0.dev.loss < $1.dev.loss }
    #expect(outcome.best.number == least?.number)
  }

  /// Where nothing can be learnt but how frequent the classes are, the loss ends at their entropy:
  /// that of 1 in 4, or, when they weigh the same, that of 1 in 2.
  @Test(arguments: [
    (TrainingOptions.ClassWeights.none, 0.562), (.balanced, 0.693),
  ])
  func classWeights(_ weights: TrainingOptions.ClassWeights, _ entropy: Double) throws {
    let rows = (1...64).map { line in
      DataRow(line: line, input: .text("the cat"), target: .label(line % 4 == 0 ? "a" : "b"))
    }
    let outcome = try World(skip: 0).train(rows, task: .classify) {
      ($0.classWeights, $0.batch, $0.epochs) = (weights, 64, 60)
      ($0.patience, $0.dropout) = (0, 0)
    }
    #expect(abs((outcome.epochs.last?.loss ?? 0) - entropy) < 0.01)
  }

  @Test func scheduleRisesAndFalls() {
    let schedule = Schedule(peak: 1, warmup: 4, total: 12)
    #expect((1...12).map { schedule.rate(at: $0) }.max() == 1)
    #expect(schedule.rate(at: 1) == 0.25)
    #expect(schedule.rate(at: 4) == 1)
    #expect(schedule.rate(at: 12) == 0.125)
    #expect(schedule.rate(at: 13) == 0)
  }
}
