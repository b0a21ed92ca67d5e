import Foundation
import Model
import Testing

@testable import Manager

/// What holds for every `RegistryStore` about versions and jobs.
@Suite struct VersionStoreTests {
  let temporary = TemporaryHome()

  private func publish(
    _ registry: any RegistryStore, _ vbert: VBertRecord, _ blob: String,
    labels: [String] = ["no", "yes"], metrics: [String: Double] = [:], job: RunningJob? = nil
  ) async throws -> VersionRecord {
    let next = NextVersion(
      vbert: vbert.id, name: vbert.name, spec: .example(labels: labels),
      blob: BlobRecord(name: blobName(blob), sha256: [1, 2, 3], byteCount: 7), metrics: metrics,
      note: "note \(blob)", job: job)
    return try #require(try await registry.publish([next]).first).get()
  }

  @Test(arguments: RegistryStoreKind.all) func versionsCountUpAndRollBack(kind: RegistryStoreKind)
    async throws
  {
    let registry = try kind.open(temporary.home)
    let vbert = try await registry.create(vbert: "a", spec: .example(labels: []))
    #expect(try await registry.versions(of: "a").isEmpty)
    let first = try await publish(
      registry, vbert, "f1", labels: ["x", "y"], metrics: ["f1": 0.5, "bad": .nan])
    #expect(first.id == VersionID(vbert: vbert.id, number: 1))
    #expect(first.metrics == ["f1": 0.5] && first.note == "note f1")
    #expect(first.blob == BlobRecord(name: blobName("f1"), sha256: [1, 2, 3], byteCount: 7))
    #expect(try await registry.find("a")?.spec.labels == ["x", "y"])
    #expect(try await publish(registry, vbert, "f2", labels: ["x", "y", "z"]).id.number == 2)
    #expect(try await registry.find("a")?.version?.number == 2)

    try await registry.rollback(vbert: "a", to: 1)
    // The labels go back with the version that was trained on them.
    #expect(try await registry.find("a")?.version?.number == 1)
    #expect(try await registry.find("a")?.spec.labels == ["x", "y"])
    // A number is not given twice.
    #expect(try await publish(registry, vbert, "f3").id.number == 3)
    try await registry.rollback(vbert: "a", to: 2)
    #expect(try await registry.versions(of: "a").map(\.id.number) == [1, 2, 3])
    #expect(try await registry.version(first.id) == first)

    await #expect(throws: RegistryError.noVersion(vbert: "a", number: 4, have: [1, 2, 3])) {
      try await registry.rollback(vbert: "a", to: 4)
    }
    await #expect(throws: RegistryError.noVBERT("b")) {
      try await registry.rollback(vbert: "b", to: 1)
    }
    await #expect(throws: RegistryError.noVBERT("b")) { try await registry.versions(of: "b") }
    try await registry.delete(vbert: "a")
    #expect(try await registry.version(first.id) == nil)
    await #expect(throws: RegistryError.noVBERT("a")) { try await publish(registry, vbert, "f4") }
  }

  @Test(arguments: RegistryStoreKind.all) func aServerSeesWhatATrainerPublishes(
    kind: RegistryStoreKind
  ) async throws {
    let server = try kind.open(temporary.home)
    let trainer = try kind.open(temporary.home)
    let vbert = try await trainer.create(vbert: "a", spec: .example())
    for number in 1...5 {
      _ = try await publish(trainer, vbert, "blob\(number)")
      #expect(try await server.find("a")?.version?.number == number)
    }
  }

  @Test(arguments: RegistryStoreKind.all) func jobsEnd(kind: RegistryStoreKind) async throws {
    let registry = try kind.open(temporary.home)
    let vbert = try await registry.create(vbert: "a", spec: .example())
    let job = try #require(try await registry.beginJobs(vberts: ["a"]).first)
    try await registry.note([(job, ["loss": 0.7])])
    var record = try #require(try await registry.jobs(of: "a").first)
    #expect(record.id == job.id && record.state == .running && record.metrics == ["loss": 0.7])
    _ = try await publish(registry, vbert, "f", metrics: ["f1": 0.9], job: job)
    record = try #require(try await registry.jobs(of: "a").first)
    #expect(record.state == .done && record.metrics == ["f1": 0.9] && record.finished != nil)

    try await registry.fail(registry.beginJobs(vberts: ["a"]), "no data")
    let failed = try #require(try await registry.jobs().first)
    #expect(failed.state == .failed && failed.error == "no data")
    #expect(try await registry.jobs(limit: 1).count == 1)
    await #expect(throws: RegistryError.noVBERT("b")) {
      try await registry.beginJobs(vberts: ["b"])
    }
    await #expect(throws: RegistryError.noVBERT("b")) { try await registry.jobs(of: "b") }
  }

  @Test(arguments: RegistryStoreKind.all) func publishersAtOnceGetNumbersOfTheirOwn(
    kind: RegistryStoreKind
  ) async throws {
    let home = temporary.home
    let vbert = try await kind.open(home).create(vbert: "a", spec: .example())
    let numbers = try await withThrowingTaskGroup(of: [Int].self) { group in
      for publisher in 0..<4 {
        group.addTask {
          let registry = try kind.open(home)
          var numbers: [Int] = []
          for n in 0..<10 {
            numbers.append(try await publish(registry, vbert, "\(publisher)-\(n)").id.number)
          }
          return numbers
        }
      }
      return try await group.reduce(into: []) { $0 += $1 }
    }
    #expect(numbers.sorted() == Array(1...40))
  }

  @Test(arguments: RegistryStoreKind.all)
  func manyInOneGoAndOneIsGone(kind: RegistryStoreKind) async throws {
    let registry = try kind.open(temporary.home)
    #expect(try await registry.publish([]).isEmpty)
    var vberts: [VBertRecord] = []
    for name: VBertName in ["a", "b", "c"] {
      vberts.append(try await registry.create(vbert: name, spec: .example()))
    }
    #expect(try await registry.beginJobs(vberts: []).isEmpty)
    await #expect(throws: RegistryError.noVBERT("d")) {
      try await registry.beginJobs(vberts: ["a", "d"])
    }
    #expect(try await registry.jobs().isEmpty, "all or none")
    let jobs = try await registry.beginJobs(vberts: ["a", "b", "c"])
    try await registry.delete(vbert: "b")
    let results = try await registry.publish(
      zip(vberts, jobs).map { vbert, job in
        NextVersion(
          vbert: vbert.id, name: vbert.name, spec: vbert.spec, blob: nil, note: "many", job: job)
      })
    #expect(try results[0].get().id == VersionID(vbert: vberts[0].id, number: 1))
    #expect(try results[2].get().note == "many")
    #expect(throws: RegistryError.noVBERT("b")) { try results[1].get() }
    #expect(try await registry.jobs().map(\.state) == [.done, .done])
    #expect(try await registry.find("c")?.version?.number == 1)
  }

  /// What a sweep asks, and what a probe does.
  @Test(arguments: RegistryStoreKind.all)
  func blobsAreKnownAndSampled(kind: RegistryStoreKind) async throws {
    let registry = try kind.open(temporary.home)
    #expect(try await registry.sampleVersions(3).isEmpty)
    #expect(try await registry.blobs(prefix: "").isEmpty)
    try await registry.create(vbert: "e", spec: .embedder)
    for name: VBertName in ["a", "b", "c"] {
      let vbert = try await registry.create(vbert: name, spec: .example())
      for n in 1...2 { _ = try await publish(registry, vbert, "\(name)\(n)") }
    }
    try await registry.rollback(vbert: "c", to: 1)
    let all = Set(["a1", "a2", "b1", "b2", "c1", "c2"].map(blobName))
    #expect(try await registry.blobs(prefix: "") == all)
    #expect(
      try await registry.blobs(prefix: String(blobName("a1").prefix(2)))
        == [blobName("a1"), blobName("a2")])
    #expect(try await registry.blobs(prefix: blobName("b2")) == [blobName("b2")])
    #expect(try await registry.blobs(prefix: "zz").isEmpty)
    for _ in 0..<10 {
      let sample = try await registry.sampleVersions(9)
      #expect(Set(sample.compactMap(\.blob?.name)) == Set(["a2", "b2", "c1"].map(blobName)))
      #expect(try await registry.sampleVersions(2).count == 2)
    }
    try await registry.delete(vbert: "a")
    #expect(try await registry.blobs(prefix: blobName("a1")).isEmpty)
    #expect(try await registry.sampleVersions(9).count == 2)
  }
}
