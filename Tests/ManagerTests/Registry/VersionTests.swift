import Foundation
import GRDB
import Model
import Testing

@testable import Manager

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

  @Test func manyVersionsInOneGo() async throws {
    let registry = try temporary.registry()
    let store = AdapterStore(registry: registry)
    let spec = VBertSpec.example()
    var vberts: [VBertRecord] = []
    for n in 0..<5 { vberts.append(try await registry.create(vbert: "v\(n)", spec: spec)) }
    let jobs = try await registry.beginJobs(vberts: vberts.map(\.name))
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
