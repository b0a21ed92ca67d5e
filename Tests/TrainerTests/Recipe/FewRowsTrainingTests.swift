import Compute
import ComputeCPU
import Model
import TestSupport
import Testing

@testable import Trainer

@Suite struct FewRowsTrainingTests {
  typealias World = TrainingJobTests.World

  private func train(
    _ jobs: [TrainingJob], _ world: World, isCancelled: () -> Bool = { false }
  ) throws -> [Result<TrainingJob.Outcome, TrainingError>] {
    let backend = try CPUBackend(threads: 2)
    let base = try BaseModel(
      source: world.source, configuration: world.configuration, backend: backend)
    let lookup =
      world.configuration.isSkip
      ? try LocalEncoder(base: base, backend: backend).lookup : nil
    return try FewRowsTraining(
      model: base, lookup: lookup, source: world.source, backend: backend, tokenBudget: 256,
      stateBytes: 1 << 20
    ).run(jobs, isCancelled: isCancelled)
  }

  private func cats(
    _ count: Int, _ world: World, effort: Effort, adapter: String = "lora:4", seed: UInt64 = 9,
    dev: Int = 0, wrong: Bool = false, change: (inout TrainingOptions) -> Void = { _ in }
  ) throws -> TrainingJob {
    let rows = TrainingJobTests.rows(
      count + dev, { .label($0.contains("cat") ? "cat" : "none") }, seed: seed)
    let (spec, all) = try world.prepare(rows, task: .classify, adapter: adapter)
    var tested = all.rows(Array(count..<count + dev))
    if wrong {
      let flipped = TrainingJobTests.rows(
        count + dev, { .label($0.contains("cat") ? "none" : "cat") }, seed: seed)
      tested = try world.prepare(flipped, task: .classify, adapter: adapter).examples.rows(
        Array(count..<count + dev))
    }
    var options = TrainingOptions()
    options.seed = seed
    change(&options)
    var few = FewRows(effort: effort)
    (few.steps, few.rate) = (60, 1e-2)
    return TrainingJob(
      spec: spec, train: all.rows(Array(0..<count)), dev: tested, options: options, few: few)
  }

  /// What a random base's frozen states do not tell, an adapter learns; and says that it helps.
  @Test(arguments: [0, 1]) func anAdapterIsTunedWhereItHelps(skip: Int) throws {
    let world = try World(skip: skip)
    let outcome = try train([try cats(120, world, effort: .full)], world)[0].get()
    let recipe = try #require(outcome.recipe)
    let adapted = try #require(recipe.adapterScore)
    #expect(adapted > recipe.headScore + 0.05, "\(recipe)")
    #expect(outcome.spec.adapter == (try AdapterSpec(parsing: "lora:4")))
    #expect(outcome.spec.offered == nil && outcome.spec.pooling == .normalizedMean)
    #expect(!outcome.adapter.lowRanks.isEmpty && outcome.adapter.head?.outputs == 2)
    #expect(outcome.metrics["cv_accuracy"] == outcome.best.dev.value)
    #expect(outcome.best.dev.value == adapted && recipe.measured == .crossValidation)
  }

  @Test func quickIsAHeadAlone() throws {
    let world = try World(skip: 1)
    let outcome = try train([try cats(60, world, effort: .quick)], world)[0].get()
    #expect(outcome.spec.adapter == .none && outcome.adapter.lowRanks.isEmpty)
    // What it may have when it is trained with more effort.
    #expect(outcome.spec.offered == (try AdapterSpec(parsing: "lora:4")))
    #expect(outcome.recipe?.adapterScore == nil && outcome.steps == 0)
  }

  /// Nothing that is measured on is learnt from, or chosen by.
  @Test(arguments: [Effort.quick, .full]) func measuredRowsChooseNothing(effort: Effort) throws {
    let world = try World(skip: 1)
    let right = try train([try cats(60, world, effort: effort, dev: 30)], world)[0].get()
    let wrong = try train(
      [try cats(60, world, effort: effort, dev: 30, wrong: true)], world)[0].get()
    #expect(right.adapter.head?.weight == wrong.adapter.head?.weight)
    #expect(right.spec == wrong.spec && right.recipe == wrong.recipe)
    #expect(abs(right.best.dev.value + wrong.best.dev.value - 1) < 1e-9)
    #expect(right.metrics["test_accuracy"] != nil && right.metrics["cv_accuracy"] == nil)
  }

  /// Members of different sizes, labels and recipes, beside each other and alone.
  @Test func togetherIsAlone() throws {
    let world = try World(skip: 1)
    let jobs = [
      try cats(40, world, effort: .full, seed: 3), try cats(25, world, effort: .full, seed: 4),
      try cats(60, world, effort: .full, seed: 5),
      try cats(30, world, effort: .full, adapter: "none", seed: 6),
    ]
    // Those without an adapter are of another kind: they train in calls of their own.
    let together = try train(Array(jobs[..<3]), world)
    for (job, result) in zip(jobs, together) {
      let (mine, alone) = (try result.get(), try train([job], world)[0].get())
      #expect(mine.spec == alone.spec && mine.recipe == alone.recipe)
      let (a, b) = (
        try #require(mine.adapter.head?.weight), try #require(alone.adapter.head?.weight)
      )
      for (a, b) in zip(a, b) { #expect(abs(a - b) < 1e-2 * max(1, abs(b))) }
    }
    let heads = jobs.map { job in
      var job = job
      job.few?.effort = .quick
      return job
    }
    let quick = try train(heads, world)
    for (job, result) in zip(heads, quick) {
      let alone = try train([job], world)[0].get()
      #expect(try result.get().adapter.head?.weight == alone.adapter.head?.weight)
      #expect(try result.get().recipe == alone.recipe)
    }
  }

  @Test func theSameSeedGivesTheSame() throws {
    let world = try World(skip: 1)
    let job = try cats(40, world, effort: .full)
    let (a, b) = (try train([job], world)[0].get(), try train([job], world)[0].get())
    #expect(a.adapter.head?.weight == b.adapter.head?.weight && a.recipe == b.recipe)
  }

  @Test func headsOfEveryTask() throws {
    let world = try World(skip: 1)
    func outcome(_ task: VBertTask, tokens: Bool, _ target: @escaping ([String]) -> DataRow.Target)
      throws -> TrainingJob.Outcome
    {
      let rows = TrainingJobTests.rows(80, target, tokens: tokens)
      let (spec, examples) = try world.prepare(rows, task: task, adapter: "lora:4")
      return try train(
        [
          TrainingJob(
            spec: spec, train: examples, dev: .none, options: TrainingOptions(),
            few: FewRows(effort: .quick))
        ], world)[0].get()
    }
    let tags = try outcome(.tag, tokens: true) { words in
      .tags(words.map { $0 == "cat" ? "B-ANIMAL" : "O" })
    }
    #expect(tags.spec.pooling == .normalizedMean && tags.metrics["cv_span_f1"] ?? 0 > 0.9)
    #expect(tags.spec.asCreated.pooling == .mean)
    let many = try outcome(.multilabel, tokens: false) { words in
      .labels(["cat", "dog"].filter(words.contains))
    }
    #expect(many.metrics["cv_micro_f1"] ?? 0 > 0.5)
    let score = try outcome(.score, tokens: false) { words in
      .score(Double(words.count { $0 == "cat" }) * 10 + 100)
    }
    #expect(score.metrics["cv_pearson"] ?? 0 > 0.5)
  }

  /// Tags, scores and several labels too have an adapter tuned, and keep it where rows that were held out
  /// say that it helps.
  @Test(arguments: [VBertTask.tag, .score, .multilabel]) func anAdapterIsTunedForEveryTask(
    task: VBertTask
  ) throws {
    let world = try World(skip: 1)
    let rows = TrainingJobTests.rows(
      120,
      { words in
        // What a word or a text is called depends on others, which a random base does not tell.
        let (hasDog, hasCat) = (words.contains("dog"), words.contains("cat"))
        return switch task {
        case .tag: .tags(words.map { $0 == "cat" && hasDog ? "B-CHASED" : "O" })
        case .score: .score(hasCat ? 20 : 10)
        default: .labels(hasDog && hasCat ? ["both"] : hasCat ? ["cat"] : [])
        }
      }, tokens: task == .tag)
    let (spec, examples) = try world.prepare(rows, task: task, adapter: "lora:4")
    var few = FewRows(effort: .full)
    (few.steps, few.rate) = (400, task == .tag ? 1e-2 : 3e-3)
    let outcome = try train(
      [
        TrainingJob(
          spec: spec, train: examples, dev: .none, options: TrainingOptions(), few: few)
      ], world)[0].get()
    let recipe = try #require(outcome.recipe)
    let adapted = try #require(recipe.adapterScore)
    #expect(adapted > recipe.headScore + 0.03, "\(recipe)")
    #expect(outcome.spec.adapter == (try AdapterSpec(parsing: "lora:4")))
    #expect(!outcome.adapter.lowRanks.isEmpty && outcome.steps >= 400)
  }

  /// Copies of a text are held out together: who has seen one knows the others.
  @Test func copiesAreNotMeasuredBy() throws {
    let world = try World(skip: 1)
    // Labels that nothing in a text tells.
    let rows = TrainingJobTests.rows(20, { _ in .score(0) }, seed: 5).enumerated().map {
      place, row in
      DataRow(line: row.line, input: row.input, target: .label(place % 2 == 0 ? "a" : "b"))
    }
    func accuracy(_ rows: [DataRow]) throws -> Double {
      let (spec, examples) = try world.prepare(rows, task: .classify, adapter: "lora:4")
      let outcome = try train(
        [
          TrainingJob(
            spec: spec, train: examples, dev: .none, options: TrainingOptions(),
            few: FewRows(effort: .quick))
        ], world)[0].get()
      return try #require(outcome.metrics["cv_accuracy"])
    }
    let thrice = try accuracy(rows + rows + rows)
    #expect(thrice < 0.8)
    // One text alone, again and again, is all that there is.
    let one = (0..<6).map { place in
      DataRow(line: place + 1, input: rows[0].input, target: .label(place < 4 ? "a" : "b"))
    }
    let same = try accuracy(one)
    #expect(same > 0.5)
  }

  /// What trains without a head has company of its own.
  @Test func contrastIsAKindOfItsOwn() throws {
    let world = try World(skip: 1)
    let classifier = try cats(30, world, effort: .full)
    let rows = TrainingJobTests.rows(30, { .score(Double($0.count)) })
    let (spec, examples) = try world.prepare(rows, task: .score, adapter: "lora:4")
    let score = TrainingJob(
      spec: spec, train: examples, dev: .none, options: TrainingOptions(),
      few: FewRows(effort: .full))
    #expect(classifier.kind != score.kind)
    let quick = [classifier, score].map { job in
      var job = job
      job.few = FewRows(effort: .quick)
      return job.kind
    }
    #expect(Set(quick).count == 1)
  }

  @Test func stepsAreThoseThatWereAskedFor() throws {
    let world = try World(skip: 1)
    var job = try cats(70, world, effort: .full)
    job.few?.steps = 16
    let outcome = try train([job], world)[0].get()
    #expect(outcome.recipe?.steps == 16)
  }

  @Test func cancelledIsCancelled() throws {
    let world = try World(skip: 1)
    let results = try train([try cats(20, world, effort: .full)], world, isCancelled: { true })
    #expect(throws: TrainingError.cancelled) { try results[0].get() }
  }

  /// Of many rows some are set aside: the same whatever comes beside them, and a label keeps two.
  @Test func rowsAreSetAside() throws {
    let world = try World(skip: 1)
    let rows = TrainingJobTests.rows(600, { .label($0[0]) }, seed: 2)
    let (spec, all) = try world.prepare(rows, task: .classify, adapter: "lora:4")
    let job = TrainingJob.onFewRows(
      FewRows(effort: .quick), spec: spec, rows: all, dev: .none, options: TrainingOptions())
    #expect((20...110).contains(job.dev.count) && job.train.count + job.dev.count == 600)
    let before = SetAside.split(all.rows(Array(0..<500))).tested
    #expect(Set(before).isSubset(of: SetAside.split(all).tested))
    let few = TrainingJob.onFewRows(
      FewRows(effort: .quick), spec: spec, rows: all.rows(Array(0..<499)), dev: .none,
      options: TrainingOptions())
    #expect(few.dev.count == 0 && few.train.count == 499)
    let twins = SetAside.split(all.rows([0, 1, 2, 0, 1, 2]))
    #expect(twins.learnt.count + twins.tested.count == 6)
    // A text that is there again and again is learnt, whatever its hash.
    let tested = try #require(SetAside.split(all).tested.first)
    let common = all.rows([Int](repeating: tested, count: 300) + Array(0..<300))
    #expect(SetAside.split(common).tested.allSatisfy { $0 >= 300 })
  }

  /// A label of a text that has several keeps rows too, and so does a tag.
  @Test(arguments: [VBertTask.multilabel, .tag]) func rareLabelsAreLearnt(task: VBertTask) throws {
    let world = try World(skip: 1)
    var line = 0
    let rows = TrainingJobTests.rows(
      600,
      { words in
        line += 1
        let rare = line <= 60 ? "B-\(line)" : "B-common"
        return task == .tag
          ? .tags(words.indices.map { $0 == 0 ? rare : "O" }) : .labels([rare])
      }, tokens: task == .tag, seed: 3)
    let (spec, all) = try world.prepare(rows, task: task, adapter: "lora:4")
    let (learnt, tested) = SetAside.split(all)
    #expect(tested.allSatisfy { $0 >= 60 } && tested.count > 20, "\(spec.labels.count)")
    #expect(learnt.count + tested.count == 600)
  }
}
