import Compute
import ComputeCPU
import Model
import TestSupport
import Testing

@testable import Trainer

/// Embedders that learn, of every kind of row, on a small random base.
@Suite struct EmbeddingTrainingTests {
  typealias World = TrainingJobTests.World

  /// A text about one of two animals, between words that say nothing.
  private static func text(_ animal: String, _ random: inout SeededGenerator) -> String {
    let others = ["red", "blue", "green", "runs", "sleeps", "the"]
    func word() -> String { others.randomElement(using: &random) ?? "the" }
    return "\(word()) \(animal) \(word()) \(word())"
  }

  /// Rows by which texts of one animal should be near.
  static func rows(_ kind: Comparison, _ count: Int = 48, seed: UInt64 = 9) -> [DataRow] {
    var random = SeededGenerator(seed: seed)
    return (1...count).map { line in
      let animals = Bool.random(using: &random) ? ["cat", "dog"] : ["dog", "cat"]
      let first = TextInput.text(text(animals[0], &random))
      let (near, far) = (text(animals[0], &random), text(animals[1], &random))
      switch kind {
      case .pairs: return DataRow(line: line, input: first, others: [.text(near)])
      case .triplets:
        return DataRow(line: line, input: first, others: [.text(near), .text(far)])
      case .labels: return DataRow(line: line, input: first, target: .label(animals[0]))
      case .scores:
        let isNear = line % 2 == 0
        return DataRow(
          line: line, input: first, others: [.text(isNear ? near : far)],
          target: .score(isNear ? 4 : 1))
      }
    }
  }

  static func job(
    _ world: World, _ kind: Comparison, seed: UInt64 = 9, adapter: String = "lora:4@all",
    change: (inout TrainingOptions) -> Void = { _ in }
  ) throws -> TrainingJob {
    let data = DataSet(path: "rows", rows: rows(kind, seed: seed))
    var spec = VBertSpec(
      task: .embed, base: "b", baseHash: "", adapter: try AdapterSpec(parsing: adapter),
      maxLength: 16)
    spec.scores = data.scoreRange
    let labels = try LabelSet(of: data, task: .embed)
    let examples = try Examples(
      data, spec: spec, labels: labels, tokenizer: world.tokenizer, base: world.configuration)
    var options = TrainingOptions()
    (options.rate, options.epochs, options.batch, options.patience) = (1e-2, 8, 12, 0)
    change(&options)
    spec.dimensions = try options.dimensions(
      before: nil, hidden: world.configuration.hiddenSize)
    return TrainingJob(spec: spec, train: examples, dev: examples, options: options)
  }

  private func group(_ jobs: [TrainingJob], _ world: World, tokens: Int = 0) throws
    -> TrainingGroup
  {
    let backend = try CPUBackend(threads: 2)
    return try TrainingGroup(
      jobs, source: world.source, entry: world.entry(backend),
      configuration: world.configuration, backend: backend, tokenBudget: tokens,
      stateBytes: 1 << 20)
  }

  /// Every kind of row and every loss that suits it: the texts of one animal end nearer to each other.
  @Test(arguments: [Comparison.pairs, .triplets, .labels, .scores])
  func learnsWhatIsNear(_ kind: Comparison) throws {
    let world = try World(skip: 1)
    let held = try Self.job(world, .labels, seed: 77).train
    for loss in EmbeddingLoss.suiting(kind) {
      let job = try Self.job(world, kind) { $0.loss = loss }
      let group = try group([job], world)
      func recall() throws -> Double { try group.measure(held).values["recall_at_10"] ?? 0 }
      let before = try recall()
      let outcome = try group.run()[0].get()
      let after = try recall()
      #expect(after > before + 0.1, "\(kind) \(loss): \(before) to \(after)")
      #expect(outcome.epochs.count == 8 && outcome.adapter.head == nil)
      // Of a pair's text many others are as near: all are about one animal.
      #expect(outcome.best.dev.value > (kind == .pairs ? 0.1 : 0.5))
    }
  }

  /// A step that does not run at once compares all its texts all the same.
  @Test func piecesAreOneStep() throws {
    let world = try World(skip: 1)
    for kind in [Comparison.pairs, .triplets, .labels, .scores] {
      func run(_ tokens: Int) throws -> TrainingJob.Outcome {
        let job = try Self.job(world, kind) {
          ($0.epochs, $0.tokenBudget, $0.adapterDropout) = (2, tokens, 0)
        }
        return try group([job], world).run()[0].get()
      }
      let (whole, cut) = (try run(2048), try run(40))
      #expect(whole.tokens == cut.tokens)
      for (a, b) in zip(whole.epochs, cut.epochs) { #expect(abs(a.loss - b.loss) < 1e-4) }
      for (a, b) in zip(whole.adapter.lowRanks, cut.adapter.lowRanks) {
        #expect(largestDifference(a.b.weight, b.b.weight) < 1e-4)
      }
    }
  }

  /// Four of different rows, losses and sizes end where each ends alone, one of them cut into pieces.
  @Test func endsWhereEachEndsAlone() throws {
    let world = try World(skip: 1)
    let kinds: [Comparison] = [.pairs, .triplets, .labels, .scores]
    let jobs = try kinds.enumerated().map { i, kind in
      try Self.job(world, kind, seed: UInt64(i + 1)) {
        $0.epochs = [2, 4, 3, 2][i]
        $0.batch = [8, 16, 12, 32][i]
        $0.seed = UInt64(i)
        $0.loss = EmbeddingLoss.suiting(kind).last
        $0.dimensions = i == 1 ? [8, 16] : []
        $0.adapterDropout = i == 2 ? 0.2 : 0
        $0.tokenBudget = i == 3 ? 60 : 2048
      }
    }
    let together = try group(jobs, world, tokens: 200).run()
    for (job, result) in zip(jobs, together) {
      let (outcome, alone) = (try result.get(), try group([job], world).run()[0].get())
      #expect(outcome.best.number == alone.best.number && outcome.tokens == alone.tokens)
      for (a, b) in zip(outcome.adapter.lowRanks, alone.adapter.lowRanks) {
        #expect(largestDifference(a.b.weight, b.b.weight) < 1e-4)
      }
    }
  }

  /// Where no epoch is better than the base by itself, the base's vectors are what is published.
  @Test func whatTrainingMakesWorseIsNotKept() throws {
    let world = try World(skip: 1)
    var job = try Self.job(world, .scores) { $0.epochs = 3 }
    // Dev scores the other way round: the more is learnt, the worse.
    var rows = Self.rows(.scores)
    for i in rows.indices {
      guard case .score(let score)? = rows[i].target else { continue }
      rows[i].target = .score(5 - score)
    }
    job.dev = try Examples(
      DataSet(path: "rows", rows: rows), spec: job.spec, labels: LabelSet([]),
      tokenizer: world.tokenizer, base: world.configuration)
    let outcome = try group([job], world).run()[0].get()
    #expect(outcome.best.number == 0)
    #expect(outcome.epochs.allSatisfy { $0.dev.value < outcome.best.dev.value })
    #expect(outcome.adapter.lowRanks.allSatisfy { $0.b.weight.allSatisfy { $0 == 0 } })
  }

  /// Every size is trained: in the smallest, too, texts of one animal are near.
  @Test func everySizeIsTrained() throws {
    let world = try World(skip: 1)
    let job = try Self.job(world, .labels) { $0.dimensions = [2] }
    #expect(job.spec.dimensions == [24, 2])
    func cut(_ job: TrainingJob) throws -> Double {
      let backend = try CPUBackend(threads: 2)
      let outcome = try group([job], world).run()[0].get()
      let base = try BaseModel(
        source: world.source, configuration: world.configuration, backend: backend)
      let predictor = try Predictor(
        spec: job.spec, adapter: outcome.adapter, base: base,
        lookup: try LocalEncoder(base: base, backend: backend).lookup, backend: backend)
      let vectors = try predictor.outputs(job.dev.sequences).map { Array($0.prefix(2)) }
      return Scores.meanLoss(job.dev, vectors: vectors, scores: nil)
    }
    var whole = job
    whole.spec.dimensions = nil
    let (trained, untrained) = (try cut(job), try cut(whole))
    #expect(trained < 0.95 * untrained, "\(trained), \(untrained)")
  }

  /// What is measured: recall among labels and pairs, how often the positive is nearer.
  @Test func scoresByHand() throws {
    let world = try World(skip: 1)
    // Two labels of two rows; the first two texts lie together, the others apart from their fellows.
    let labelled = try Self.job(world, .labels).train
    let numbers = labelled.targets.indices
    let cat = numbers.filter { labelled.targets[$0] == labelled.targets[0] }
    let dog = numbers.filter { labelled.targets[$0] != labelled.targets[0] }
    let four = labelled.rows([cat[0], cat[1], dog[0], dog[1]])
    let found = Scores.searched(four, vectors: [[1, 0], [1, 0.1], [0.9, 0.2], [0, 1]])
    #expect(found.values["recall_at_1"] == 0.75 && found.values["recall_at_10"] == 1)
    let triplets = try Self.job(world, .triplets).train.rows([0, 1])
    let near: [[Float]] = [[1, 0], [1, 0.1], [0, 1], [1, 0], [0, 1], [1, 0.1]]
    let accuracy = Scores.searched(triplets, vectors: near)
    #expect(accuracy.primary == "accuracy" && accuracy.values["accuracy"] == 0.5)
    let scored = try Self.job(world, .scores).train.rows([0, 1, 2])
    // 1, 4, 1 by rows; cosines 0, 1, 0.
    let cosines = Scores.searched(
      scored, vectors: [[1, 0], [0, 1], [1, 0], [2, 0], [1, 0], [0, 1]])
    #expect(abs((cosines.values["pearson"] ?? 0) - 1) < 1e-9)
    // All alike finds nothing.
    let alike = Scores.searched(four, vectors: [[Float]](repeating: [1, 1], count: 4))
    #expect(alike.values["recall_at_1"] == 0)
  }
}
