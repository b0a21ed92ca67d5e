import Compute
import Files
import Foundation
import Model
import Testing

@testable import Manager

@Suite struct AdapterStoreTests {
  let temporary = TemporaryHome()
  let store: AdapterStore
  let spec = VBertSpec.example()

  init() throws { store = AdapterStore(registry: try temporary.registry()) }

  private func publish(_ name: VBertName, seed: Int, job: RunningJob? = nil) async throws
    -> VersionRecord
  {
    var vbert = try await store.registry.find(name)
    if vbert == nil { vbert = try await store.registry.create(vbert: name, spec: spec) }
    return try await store.publish(
      try makeAdapter(spec, seed: seed), as: try #require(vbert), spec: spec, base: .tiny, job: job)
  }

  private func current(_ name: VBertName) async throws -> HostAdapter {
    let id = try #require(try await store.registry.vbert(name).version)
    return try await store.load(#require(try await store.registry.version(id)), base: .tiny)
  }

  private func files() -> [URL] {
    let all = FileManager.default.enumerator(
      at: temporary.home.adapters, includingPropertiesForKeys: nil)
    return (all?.allObjects as? [URL] ?? []).filter {
      !$0.hasDirectoryPath && $0.lastPathComponent != HomeIdentity.markerName
        && !$0.path().contains("/.quarantine/")
    }
  }

  @Test func whatIsPublishedIsLoaded() async throws {
    for seed in 1...3 {
      let version = try await publish("a", seed: seed)
      #expect(version.id.number == seed)
      #expect(sameTensors(try await current("a"), try makeAdapter(spec, seed: seed)))
    }
    try await store.registry.rollback(vbert: "a", to: 2)
    #expect(sameTensors(try await current("a"), try makeAdapter(spec, seed: 2)))
    #expect(files().count == 3)
    try await store.delete(vbert: "a")
    #expect(files().isEmpty)
  }

  @Test func aJobEndsWithItsVersion() async throws {
    try await store.registry.create(vbert: "a", spec: spec)
    let jobs = try await store.registry.beginJobs(vberts: ["a"])
    _ = try await publish("a", seed: 1, job: jobs.first)
    #expect(try await store.registry.jobs(of: "a").map(\.state) == [.done])
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: temporary.home.locks.path())
        .filter { $0.hasPrefix("job-") } == [])
  }

  @Test func aVBERTIsCreatedWithItsVersionOrNotAtAll() async throws {
    let made = try await store.create(
      vbert: "a", spec: spec, base: .tiny, adapter: try makeAdapter(spec, seed: 4))
    #expect(made.version?.number == 1)
    #expect(sameTensors(try await current("a"), try makeAdapter(spec, seed: 4)))
    await #expect(throws: AdapterError.registry(.vbertExists("a"))) {
      try await store.create(vbert: "a", spec: spec, base: .tiny, adapter: try makeAdapter(spec))
    }
    await #expect(throws: AdapterError.registry(.noTenant("t"))) {
      try await store.create(
        vbert: "t/b", spec: spec, base: .tiny, adapter: try makeAdapter(spec))
    }
    #expect(try await store.registry.find("b") == nil)
    #expect(files().count == 1)
    #expect(sameTensors(try await current("a"), try makeAdapter(spec, seed: 4)))
  }

  @Test func anEmbedderHasNoFile() async throws {
    try await store.registry.create(vbert: "e", spec: .embedder)
    #expect(AdapterFile.tensors(of: try await current("e")).isEmpty)
    #expect(files().isEmpty)
  }

  @Test func whatDoesNotFitIsNotPublished() async throws {
    let vbert = try await store.registry.create(vbert: "a", spec: spec)
    let wider = VBertSpec.example(adapter: .bottleneck(width: 5, sites: [.attention]))
    await #expect(throws: AdapterError.self) {
      try await store.publish(try makeAdapter(wider), as: vbert, spec: spec, base: .tiny)
    }
    var broken = try makeAdapter(spec)
    broken.head?.weight[3] = .nan
    await #expect(
      throws: AdapterError.unfit(
        vbert: "a", why: "\(AdapterFileError.notFinite(name: "head.weight"))")
    ) { try await store.publish(broken, as: vbert, spec: spec, base: .tiny) }
    await #expect(throws: AdapterError.self) {
      try await store.publish(HostAdapter(), as: vbert, spec: spec, base: .tiny)
    }
    #expect(try await store.registry.versions(of: "a").isEmpty && files().isEmpty)
  }

  @Test func aDamagedFileIsThatVersionsErrorAlone() async throws {
    _ = try await publish("good", seed: 1)
    let damages: [(VBertName, (inout Data) -> Void)] = [
      ("flipped", { $0[$0.count - 5] ^= 1 }), ("short", { $0.removeLast(4) }),
      ("empty", { $0 = Data() }), ("header", { $0[9] ^= 0x20 }),
      ("long", { $0.append(contentsOf: [0, 0, 0, 0]) }),
    ]
    for (name, damage) in damages {
      let version = try await publish(name, seed: 2)
      let file = store.url(try #require(version.blob?.name))
      var bytes = try Data(contentsOf: file)
      damage(&bytes)
      try bytes.write(to: file)
      let error = await #expect(throws: AdapterError.self) { try await current(name) }
      guard case .corrupt(name.text, 1, let why)? = error else {
        Issue.record("\(String(describing: error))")
        continue
      }
      #expect(why.contains(file.path()))
      // The next version heals it, a rollback to the damaged one does not.
      _ = try await publish(name, seed: 3)
      #expect(sameTensors(try await current(name), try makeAdapter(spec, seed: 3)))
    }
    // Another version's whole, valid file in this one's place is no less damage.
    let mine = try await publish("mine", seed: 5)
    let other = try await publish("other", seed: 6)
    let (mineFile, otherFile) = (
      store.url(try #require(mine.blob?.name)), store.url(try #require(other.blob?.name))
    )
    try Data(contentsOf: otherFile).write(to: mineFile)
    await #expect(throws: AdapterError.self) { try await current("mine") }
    try FileManager.default.removeItem(at: mineFile)
    await #expect(throws: AdapterError.self) { try await current("mine") }
    #expect(sameTensors(try await current("good"), try makeAdapter(spec, seed: 1)))
    #expect(sameTensors(try await current("other"), try makeAdapter(spec, seed: 6)))
  }

  @Test func aVersionForAnotherBaseIsAnError() async throws {
    let version = try await publish("a", seed: 1)
    var base = Configuration.tiny
    base.layerCount = 5
    await #expect(throws: AdapterError.self) { try await store.load(version, base: base) }
    base = .tiny
    base.hiddenSize = 16
    await #expect(throws: AdapterError.self) { try await store.load(version, base: base) }
  }

  /// Named at random and without a serial number, as older versions wrote them.
  @Test func anOlderBlobIsReadByTheSameRules() async throws {
    let vbert = try await store.registry.create(vbert: "old", spec: spec)
    let (name, other) = (String(repeating: "0a", count: 16), String(repeating: "0b", count: 16))
    let bytes = try SafetensorsWriter.bytes(
      AdapterFile.tensors(of: try makeAdapter(spec, seed: 7)).map {
        SafetensorsTensor(name: $0.name, shape: $0.shape, floats: $0.values)
      },
      metadata: [
        "format": "vbert-adapter-1", "blob": name, "vbert": "old", "tenant": "default",
        "spec": try JSONText.encode(spec),
      ])
    var next = NextVersion(
      vbert: vbert.id, name: "old", spec: spec,
      blob: BlobRecord(name: name, sha256: BlobKey.sha256(bytes), byteCount: bytes.count))
    for key in [name, other] { try await store.blobs.put(bytes, under: key) }
    let read = try #require(try await store.registry.publish([next]).first).get()
    #expect(sameTensors(try await store.load(read, base: .tiny), try makeAdapter(spec, seed: 7)))
    // Whole, with the hash that the row says, and not the blob of that name.
    next.blob = BlobRecord(name: other, sha256: BlobKey.sha256(bytes), byteCount: bytes.count)
    let wrong = try #require(try await store.registry.publish([next]).first).get()
    let error = await #expect(throws: AdapterError.self) {
      try await store.load(wrong, base: .tiny)
    }
    #expect("\(try #require(error))".contains("holds another version's parameters"))
  }

  /// The states that a crash can leave: a temporary file, a file without row, nothing else.
  @Test func aStartClearsWhatACrashLeft() async throws {
    let version = try await publish("a", seed: 1)
    let file = store.url(try #require(version.blob?.name))
    let shard = file.deletingLastPathComponent()
    try Data("half".utf8).write(
      to: shard.appending(path: Leftover.prefix + "1abc"))
    let twin = shard.appending(
      path: shard.lastPathComponent + String(repeating: "f", count: 30) + ".safetensors")
    try FileManager.default.copyItem(at: file, to: twin)
    let otherShard = shard.deletingLastPathComponent().appending(path: "zz")
    try FileManager.default.createDirectory(at: otherShard, withIntermediateDirectories: true)
    try Data("not ours".utf8).write(to: otherShard.appending(path: "note.txt"))
    try Data("not ours".utf8).write(to: shard.appending(path: "note.txt"))

    let report = try await AdapterStore(registry: try temporary.registry()).collectAll()
    #expect(report.removedFiles == 1 && report.quarantinedFiles == 1)
    #expect(report.missing.isEmpty && report.skippedShards == 0)
    #expect(Set(files().map(\.lastPathComponent)) == [file.lastPathComponent, "note.txt"])
    #expect(sameTensors(try await current("a"), try makeAdapter(spec, seed: 1)))
    #expect(try await store.collectAll() == OrphanReport())
    // A row without its file cannot come from a crash, but from a lost disk: it is reported.
    try FileManager.default.removeItem(at: file)
    #expect(try await store.collectAll().missing == [version.blob?.name])
  }

  @Test func nothingIsCollectedWhileSomebodyPublishes() async throws {
    let version = try await publish("a", seed: 1)
    let shard = store.url(try #require(version.blob?.name)).deletingLastPathComponent()
    let orphan = shard.lastPathComponent + String(repeating: "0", count: 30)
    try Data().write(to: shard.appending(path: orphan + ".safetensors"))
    let publisher = try temporary.home.lock(FileBlobs.lockName, .shared)
    #expect(try await store.collectOrphans().skippedShards == 256)
    #expect(files().count == 2)
    withExtendedLifetime(publisher) {}
  }

  @Test func publishersAndCollectorsLoseNothing() async throws {
    let (store, temporary, spec) = (store, temporary, spec)
    for name: VBertName in ["a", "b", "c"] {
      try await store.registry.create(vbert: name, spec: spec)
    }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for name: VBertName in ["a", "b", "c"] {
        group.addTask {
          let mine = AdapterStore(registry: try temporary.registry())
          for seed in 1...8 {
            try await mine.publish(
              try makeAdapter(spec, seed: seed), as: mine.registry.vbert(name), spec: spec,
              base: .tiny)
          }
        }
      }
      group.addTask { for _ in 0..<10 { try await store.collectOrphans() } }
      try await group.waitForAll()
    }
    for name: VBertName in ["a", "b", "c"] {
      let versions = try await store.registry.versions(of: name)
      #expect(versions.count == 8)
      for version in versions {
        #expect(
          sameTensors(
            try await store.load(version, base: .tiny),
            try makeAdapter(spec, seed: version.id.number)))
      }
    }
  }
}
