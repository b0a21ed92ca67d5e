import Foundation
import GRDB
import Model
import Testing

@testable import Manager

/// A blob's name that tells what a test calls it.
private func blobName(_ text: String) -> String {
  let digits = text.utf8.map { String(Int($0) + 256, radix: 16).suffix(2) }.joined()
  return digits + String(repeating: "0", count: 32 - digits.count)
}

@Suite struct VersionTests {
  let temporary = TemporaryHome()

  private func publish(
    _ registry: Registry, _ vbert: VBertRecord, _ blob: String, labels: [String] = ["no", "yes"],
    metrics: [String: Double] = [:], job: RunningJob? = nil
  ) throws -> VersionRecord {
    let next = NextVersion(
      vbert: vbert.id, name: vbert.name, spec: .example(labels: labels),
      blob: BlobRecord(name: blobName(blob), sha256: [1, 2, 3], byteCount: 7), metrics: metrics,
      note: "note \(blob)", job: job)
    return try #require(try registry.publish([next]).first).get()
  }

  /// The column may hold anything once somebody else has written to the file.
  @Test func aLargestNumberIsDamageAndNoTrap() throws {
    for number in ["9223372036854775807", "1e308"] {
      let temporary = TemporaryHome()
      let registry = try temporary.registry()
      let vbert = try registry.create(vbert: "a", spec: .example(labels: []))
      _ = try publish(registry, vbert, "f1")
      try DatabaseQueue(path: temporary.home.registry.path()).write {
        try $0.execute(sql: "UPDATE versions SET number = \(number)")
      }
      let error = #expect(throws: RegistryError.self) { try publish(registry, vbert, "f2") }
      #expect("\(try #require(error))".contains("table versions is damaged: number"))
    }
  }

  @Test func aTimeThatIsNoneIsDamageAndNoTrap() throws {
    for time in ["9223372036854775807", "1e308", "9e999", "-9e999", "253402300800", "-1e12"] {
      let temporary = TemporaryHome()
      let registry = try temporary.registry()
      _ = try registry.create(vbert: "a", spec: .example(labels: []))
      try DatabaseQueue(path: temporary.home.registry.path()).write {
        try $0.execute(sql: "UPDATE vberts SET created = \(time)")
      }
      let error = #expect(throws: RegistryError.self) { try registry.list() }
      #expect("\(try #require(error))".contains("table vberts is damaged: created is no time"))
    }
  }

  @Test func versionsCountUpAndRollBack() throws {
    let registry = try temporary.registry()
    let vbert = try registry.create(vbert: "a", spec: .example(labels: []))
    #expect(try registry.versions(of: "a").isEmpty)
    let first = try publish(
      registry, vbert, "f1", labels: ["x", "y"], metrics: ["f1": 0.5, "bad": .nan])
    #expect(first.id == VersionID(vbert: vbert.id, number: 1))
    #expect(first.metrics == ["f1": 0.5] && first.note == "note f1")
    #expect(first.blob == BlobRecord(name: blobName("f1"), sha256: [1, 2, 3], byteCount: 7))
    #expect(try registry.find("a")?.spec.labels == ["x", "y"])
    #expect(try publish(registry, vbert, "f2", labels: ["x", "y", "z"]).id.number == 2)
    #expect(try registry.find("a")?.version?.number == 2)

    try registry.rollback(vbert: "a", to: 1)
    // The labels go back with the version that was trained on them.
    #expect(try registry.find("a")?.version?.number == 1)
    #expect(try registry.find("a")?.spec.labels == ["x", "y"])
    // A number is not given twice.
    #expect(try publish(registry, vbert, "f3").id.number == 3)
    try registry.rollback(vbert: "a", to: 2)
    #expect(try registry.versions(of: "a").map(\.id.number) == [1, 2, 3])
    #expect(try registry.version(first.id) == first)

    #expect(throws: RegistryError.noVersion(vbert: "a", number: 4, have: [1, 2, 3])) {
      try registry.rollback(vbert: "a", to: 4)
    }
    #expect(throws: RegistryError.noVBERT("b")) { try registry.rollback(vbert: "b", to: 1) }
    #expect(throws: RegistryError.noVBERT("b")) { try registry.versions(of: "b") }
    try registry.delete(vbert: "a")
    #expect(try registry.version(first.id) == nil)
    #expect(throws: RegistryError.noVBERT("a")) { try publish(registry, vbert, "f4") }
  }

  @Test func aServerSeesWhatATrainerPublishes() throws {
    let server = try temporary.registry()
    let trainer = try temporary.registry()
    let vbert = try trainer.create(vbert: "a", spec: .example())
    for number in 1...5 {
      _ = try publish(trainer, vbert, "blob\(number)")
      #expect(try server.find("a")?.version?.number == number)
    }
  }

  @Test func jobsEnd() throws {
    let registry = try temporary.registry()
    let vbert = try registry.create(vbert: "a", spec: .example())
    let job = try #require(try registry.beginJobs(vberts: ["a"]).first)
    try registry.note([(job, ["loss": 0.7])])
    var record = try #require(try registry.jobs(of: "a").first)
    #expect(record.id == job.id && record.state == .running && record.metrics == ["loss": 0.7])
    _ = try publish(registry, vbert, "f", metrics: ["f1": 0.9], job: job)
    record = try #require(try registry.jobs(of: "a").first)
    #expect(record.state == .done && record.metrics == ["f1": 0.9] && record.finished != nil)

    try registry.fail(registry.beginJobs(vberts: ["a"]), "no data")
    let failed = try #require(try registry.jobs().first)
    #expect(failed.state == .failed && failed.error == "no data")
    #expect(try registry.jobs(limit: 1).count == 1)
    #expect(throws: RegistryError.noVBERT("b")) { try registry.beginJobs(vberts: ["b"]) }
    #expect(throws: RegistryError.noVBERT("b")) { try registry.jobs(of: "b") }
  }

  /// A job is alive as long as its lock is held; the process that dies drops it.
  @Test func onlyDeadJobsAreEndedByTheNextOpener() throws {
    let registry = try temporary.registry()
    try registry.create(vbert: "a", spec: .example())
    let alive = try #require(try registry.beginJobs(vberts: ["a"]).first)
    var dead: RunningJob? = try registry.beginJobs(vberts: ["a"]).first
    let deadID = try #require(dead?.id)
    dead = nil
    let next = try temporary.registry()
    let jobs = Dictionary(uniqueKeysWithValues: try next.jobs(of: "a").map { ($0.id, $0) })
    #expect(jobs[alive.id]?.state == .running)
    #expect(jobs[deadID]?.state == .failed)
    #expect(jobs[deadID]?.error?.hasPrefix("interrupted") == true)
    try registry.fail([alive], "stopped")
    let locks = try FileManager.default.contentsOfDirectory(atPath: temporary.home.locks.path())
    #expect(!locks.contains { $0.hasPrefix("job-") })
  }

  @Test func publishersAtOnceGetNumbersOfTheirOwn() async throws {
    let temporary = temporary
    let vbert = try await temporary.registry().create(vbert: "a", spec: .example())
    let numbers = try await withThrowingTaskGroup(of: [Int].self) { group in
      for publisher in 0..<4 {
        group.addTask {
          let registry = try temporary.registry()
          return try (0..<10).map {
            try publish(registry, vbert, "blob-\(publisher)-\($0)").id.number
          }
        }
      }
      return try await group.reduce(into: []) { $0 += $1 }
    }
    #expect(numbers.sorted() == Array(1...40))
  }

  @Test func manyVersionsInOneGo() async throws {
    let registry = try temporary.registry()
    let store = AdapterStore(registry: registry)
    let spec = VBertSpec.example()
    var vberts: [VBertRecord] = []
    for n in 0..<5 { vberts.append(try await registry.create(vbert: "v\(n)", spec: spec)) }
    let jobs = try registry.beginJobs(vberts: vberts.map(\.name))
    #expect(try await registry.jobs().count == 5)
    // Another process sees them alive.
    #expect(try await temporary.registry().jobs().allSatisfy { $0.state == .running })
    try registry.delete(vbert: "v1")
    let list = try vberts.enumerated().map { i, vbert in
      AdapterStore.Publication(
        try makeAdapter(i == 3 ? .example(labels: ["one more", "no", "yes"]) : spec, seed: i),
        as: vbert, spec: spec, metrics: ["dev": Double(i)], note: "many", job: jobs[i])
    }
    let results = await store.publish(list, base: .tiny)
    for i in [0, 2, 4] {
      let version = try results[i].get()
      #expect(version.id.number == 1 && version.metrics == ["dev": Double(i)])
      #expect(
        sameTensors(try await store.load(version, base: .tiny), try makeAdapter(spec, seed: i)))
    }
    #expect(throws: AdapterError.registry(.noVBERT("v1"))) { try results[1].get() }
    #expect(throws: AdapterError.self) { try results[3].get() }
    try registry.fail([jobs[3]], "unfit")
    #expect(
      try await registry.jobs().map(\.state) == [.done, .failed, .done, .done])
    // What was refused left no file.
    #expect(try await store.collectAll().removedFiles == 0)
  }
}
