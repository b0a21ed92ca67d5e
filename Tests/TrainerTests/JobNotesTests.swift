import ComputeCPU
import Manager
import Model
import TestSupport
import Testing
import Trainer

/// What the registry knows of jobs while they run.
@Suite struct JobNotesTests {
  /// One vBERT's epochs, as training tells them.
  private func epochs() throws -> [TrainingEvent] {
    let world = try TrainingJobTests.World(skip: 1)
    let rows = TrainingJobTests.rows(
      20, { .label($0.contains("cat") ? "cat" : "none") }, tokens: false, seed: 3)
    let (spec, examples) = try world.prepare(rows, task: .classify, adapter: "none")
    var options = TrainingOptions()
    (options.epochs, options.patience) = (5, 0)
    let backend = try CPUBackend(threads: 1)
    let group = try TrainingGroup(
      [TrainingJob(spec: spec, train: examples, dev: examples, options: options)],
      source: world.source, entry: world.entry(backend), configuration: world.configuration,
      backend: backend, stateBytes: 1 << 20)
    var events: [TrainingEvent] = []
    _ = try group.run(report: { if case .epoch = $0 { events.append($0) } })
    return events
  }

  /// At most one note a second; after `end` none is on its way.
  @Test func theLastNoteOfASecondIsWritten() async throws {
    let folder = try TemporaryFolder()
    let registry: any RegistryStore = try Registry(home: Home(option: folder.path))
    let name = try VBertName("topic")
    try await registry.create(
      vbert: name,
      spec: VBertSpec(task: .classify, base: "b", baseHash: "", adapter: .none))
    let running = try await registry.beginJobs(vberts: [name])
    let (events, now) = (try epochs(), ContinuousClock.now)
    let notes = JobNotes(running, in: registry)
    func noted() async throws -> Double? {
      await notes.end()
      return try await registry.jobs(of: name, limit: 1).first?.metrics["epoch"]
    }
    notes.hear(events[0], now: now)
    #expect(try await noted() == 1)
    notes.hear(events[1], now: now + .milliseconds(999))
    #expect(try await noted() == 1)
    notes.hear(events[2], now: now + .seconds(1))
    #expect(try await noted() == 3)
    notes.hear(.publishing, now: now + .seconds(9))
    #expect(try await noted() == 3)
    try await registry.fail(running, "it was a test")
  }
}
