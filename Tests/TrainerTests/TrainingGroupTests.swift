import Compute
import ComputeCPU
import Model
import TestSupport
import Testing
import Trainer

/// vBERTs that train together end where each ends alone.
@Suite struct TrainingGroupTests {
  typealias World = TrainingJobTests.World

  /// Jobs of different sizes, labels, schedules and lengths: some are over long before others.
  private func jobs(_ world: World, adapter: String, tags: Bool) throws -> [TrainingJob] {
    try (0..<4).map { i in
      let rows = TrainingJobTests.rows(
        [21, 40, 9, 33][i],
        { words in
          if tags { return .tags(words.map { $0 == "cat" ? "B-ANIMAL" : "O" }) }
          return .label(words.contains("cat") ? "cat" : i == 1 ? words[0] : "none")
        }, tokens: tags, seed: UInt64(i + 3))
      let (spec, examples) = try world.prepare(
        rows, task: tags ? .tag : .classify, adapter: adapter)
      var options = TrainingOptions()
      options.rate = [1e-2, 3e-3, 1e-2, 5e-3][i]
      options.epochs = [3, 6, 2, 5][i]
      options.batch = [8, 16, 4, 33][i]
      options.seed = UInt64(i)
      options.patience = i == 3 ? 1 : 0
      options.adapterDropout = i == 2 ? 0.2 : 0
      options.classWeights = i == 1 ? .balanced : .none
      // One job's steps are cut into pieces.
      options.tokenBudget = i == 1 ? 40 : 2048
      return TrainingJob(spec: spec, train: examples, dev: examples, options: options)
    }
  }

  @Test(arguments: [
    ("bottleneck:6@both", false), ("bottleneck:4", true), ("lora:2", false), ("none", false),
  ])
  func endsWhereEachEndsAlone(adapter: String, tags: Bool) throws {
    let world = try World(skip: 1)
    let jobs = try jobs(world, adapter: adapter, tags: tags)
    let backend = try CPUBackend(threads: 2)
    let many = try TrainingGroup(
      jobs, source: world.source, entry: world.entry(backend),
      configuration: world.configuration, backend: backend, tokenBudget: 200, stateBytes: 1 << 20)
    let together = try many.run()
    for (job, result) in zip(jobs, together) {
      let outcome = try result.get()
      let alone = try TrainingGroup(
        [job], source: world.source, entry: world.entry(backend),
        configuration: world.configuration, backend: backend, stateBytes: 1 << 20
      ).run()[0].get()
      #expect(outcome.epochs.count == alone.epochs.count && outcome.tokens == alone.tokens)
      #expect(outcome.best.number == alone.best.number)
      for (mine, other) in zip(outcome.epochs, alone.epochs) {
        #expect(abs(mine.loss - other.loss) < 1e-5 && mine.dev.values == other.dev.values)
      }
      let (mine, other) = (
        try #require(outcome.adapter.head), try #require(alone.adapter.head)
      )
      #expect(zip(mine.weight, other.weight).allSatisfy { abs($0 - $1) < 1e-5 })
    }
  }

  @Test func oneThatDivergesLeavesTheOthersAlone() throws {
    let world = try World(skip: 1)
    var jobs = try jobs(world, adapter: "bottleneck:6", tags: false)
    jobs[0].options.rate = .infinity
    let backend = try CPUBackend(threads: 2)
    let many = try TrainingGroup(
      jobs, source: world.source, entry: world.entry(backend),
      configuration: world.configuration, backend: backend, tokenBudget: 200, stateBytes: 1 << 20)
    let results = try many.run()
    #expect(throws: TrainingError.self) { try results[0].get() }
    for result in results.dropFirst() { #expect(try result.get().best.number > 0) }
  }

  /// Events of one group, in their order, and what they add up to.
  @Test func eventsTellHowFarAllAre() throws {
    let world = try World(skip: 1)
    let jobs = try jobs(world, adapter: "none", tags: false)
    let backend = try CPUBackend(threads: 2)
    var (progress, ended, epochs, last) = (TrainingProgress(), [Int](), 0, 0)
    progress.hear(.began(try (0..<4).map { try VBertName("job\($0)") }))
    let group = try TrainingGroup(
      jobs, source: world.source, entry: world.entry(backend),
      configuration: world.configuration, backend: backend, stateBytes: 1 << 20)
    let outcomes = try group.run(report: { event in
      progress.hear(event)
      switch event {
      case .ended(let job, nil): ended.append(job)
      case .epoch: epochs += 1
      default: break
      }
      #expect(progress.done >= last && progress.done <= progress.all)
      last = progress.done
    })
    #expect(ended.sorted() == [0, 1, 2, 3] && progress.running == 0)
    #expect(progress.done == progress.all)
    #expect(try epochs == outcomes.reduce(0) { try $0 + $1.get().epochs.count })
  }

  /// What is not over by then has failed; what is, is what it is.
  @Test func cancelledInTheMiddle() throws {
    let world = try World(skip: 1)
    let jobs = try jobs(world, adapter: "none", tags: false)
    let backend = try CPUBackend(threads: 2)
    let group = try TrainingGroup(
      jobs, source: world.source, entry: world.entry(backend),
      configuration: world.configuration, backend: backend, stateBytes: 1 << 20)
    var ended: [Int: TrainingError?] = [:]
    let outcomes = try group.run(isCancelled: { !ended.isEmpty }) { event in
      if case .ended(let job, let error) = event { ended[job] = .some(error) }
    }
    let failures = outcomes.filter {
      if case .failure(.cancelled) = $0 { true } else { false }
    }
    #expect(!failures.isEmpty && failures.count < 4 && ended.count == 4)
    for (job, outcome) in outcomes.enumerated() {
      #expect((ended[job] ?? .none) == nil || (try? outcome.get()) == nil)
    }
  }
}
