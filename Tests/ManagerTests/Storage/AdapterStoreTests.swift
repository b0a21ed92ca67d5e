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

  private func publish(_ name: Name, seed: Int, job: RunningJob? = nil) throws -> VersionRecord {
    let vbert = try store.registry.find(name) ?? store.registry.create(vbert: name, spec: spec)
    return try store.publish(
      try makeAdapter(spec, seed: seed), as: vbert, spec: spec, base: .tiny, job: job)
  }

  private func current(_ name: Name) throws -> HostAdapter {
    let id = try #require(try store.registry.vbert(name).version)
    return try store.load(#require(try store.registry.version(id)), base: .tiny)
  }

  private func files() -> [URL] {
    let all = FileManager.default.enumerator(
      at: temporary.home.adapters, includingPropertiesForKeys: nil)
    return (all?.allObjects as? [URL] ?? []).filter {
      !$0.hasDirectoryPath && $0.lastPathComponent != HomeIdentity.markerName
        && !$0.path().contains("/.quarantine/")
    }
  }

  @Test func whatIsPublishedIsLoaded() throws {
    for seed in 1...3 {
      let version = try publish("a", seed: seed)
      #expect(version.id.number == seed)
      #expect(sameTensors(try current("a"), try makeAdapter(spec, seed: seed)))
    }
    try store.registry.rollback(vbert: "a", to: 2)
    #expect(sameTensors(try current("a"), try makeAdapter(spec, seed: 2)))
    #expect(files().count == 3)
    try store.delete(vbert: "a")
    #expect(files().isEmpty)
  }

  @Test func aJobEndsWithItsVersion() throws {
    try store.registry.create(vbert: "a", spec: spec)
    let job = try store.registry.beginJob(vbert: "a")
    _ = try publish("a", seed: 1, job: job)
    #expect(try store.registry.jobs(of: "a").map(\.state) == [.done])
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: temporary.home.locks.path())
        .filter { $0.hasPrefix("job-") } == [])
  }

  @Test func aVBERTIsCreatedWithItsVersionOrNotAtAll() throws {
    let made = try store.create(
      vbert: "a", spec: spec, base: .tiny, adapter: try makeAdapter(spec, seed: 4))
    #expect(made.version?.number == 1)
    #expect(sameTensors(try current("a"), try makeAdapter(spec, seed: 4)))
    #expect(throws: AdapterError.registry(.vbertExists("a"))) {
      try store.create(vbert: "a", spec: spec, base: .tiny, adapter: try makeAdapter(spec))
    }
    #expect(throws: AdapterError.registry(.noTenant("t"))) {
      try store.create(
        vbert: "b", tenant: "t", spec: spec, base: .tiny, adapter: try makeAdapter(spec))
    }
    #expect(try store.registry.find("b") == nil)
    #expect(files().count == 1)
    #expect(sameTensors(try current("a"), try makeAdapter(spec, seed: 4)))
  }

  @Test func anEmbedderHasNoFile() throws {
    try store.registry.create(vbert: "e", spec: .embedder)
    #expect(AdapterFile.tensors(of: try current("e")).isEmpty)
    #expect(files().isEmpty)
  }

  @Test func whatDoesNotFitIsNotPublished() throws {
    let vbert = try store.registry.create(vbert: "a", spec: spec)
    let wider = VBertSpec.example(adapter: .bottleneck(width: 5, sites: [.attention]))
    #expect(throws: AdapterError.self) {
      try store.publish(try makeAdapter(wider), as: vbert, spec: spec, base: .tiny)
    }
    var broken = try makeAdapter(spec)
    broken.head?.weight[3] = .nan
    #expect(
      throws: AdapterError.unfit(
        vbert: "a", why: "\(AdapterFileError.notFinite(name: "head.weight"))")
    ) { try store.publish(broken, as: vbert, spec: spec, base: .tiny) }
    #expect(throws: AdapterError.self) {
      try store.publish(HostAdapter(), as: vbert, spec: spec, base: .tiny)
    }
    #expect(try store.registry.versions(of: "a").isEmpty && files().isEmpty)
  }

  @Test func aDamagedFileIsThatVersionsErrorAlone() throws {
    _ = try publish("good", seed: 1)
    let damages: [(Name, (inout Data) -> Void)] = [
      ("flipped", { $0[$0.count - 5] ^= 1 }), ("short", { $0.removeLast(4) }),
      ("empty", { $0 = Data() }), ("header", { $0[9] ^= 0x20 }),
      ("long", { $0.append(contentsOf: [0, 0, 0, 0]) }),
    ]
    for (name, damage) in damages {
      let version = try publish(name, seed: 2)
      let file = store.url(try #require(version.blob?.name))
      var bytes = try Data(contentsOf: file)
      damage(&bytes)
      try bytes.write(to: file)
      let error = #expect(throws: AdapterError.self) { try current(name) }
      guard case .corrupt(name.text, 1, let why)? = error else {
        Issue.record("\(String(describing: error))")
        continue
      }
      #expect(why.contains(file.path()))
      // The next version heals it, a rollback to the damaged one does not.
      _ = try publish(name, seed: 3)
      #expect(sameTensors(try current(name), try makeAdapter(spec, seed: 3)))
    }
    // Another version's whole, valid file in this one's place is no less damage.
    let mine = try publish("mine", seed: 5)
    let other = try publish("other", seed: 6)
    let (mineFile, otherFile) = (
      store.url(try #require(mine.blob?.name)), store.url(try #require(other.blob?.name))
    )
    try Data(contentsOf: otherFile).write(to: mineFile)
    #expect(throws: AdapterError.self) { try current("mine") }
    try FileManager.default.removeItem(at: mineFile)
    #expect(throws: AdapterError.self) { try current("mine") }
    #expect(sameTensors(try current("good"), try makeAdapter(spec, seed: 1)))
    #expect(sameTensors(try current("other"), try makeAdapter(spec, seed: 6)))
  }

  @Test func aVersionForAnotherBaseIsAnError() throws {
    let version = try publish("a", seed: 1)
    var base = Configuration.tiny
    base.layerCount = 5
    #expect(throws: AdapterError.self) { try store.load(version, base: base) }
    base = .tiny
    base.hiddenSize = 16
    #expect(throws: AdapterError.self) { try store.load(version, base: base) }
  }

  /// The states that a crash can leave: a temporary file, a file without row, nothing else.
  @Test func aStartClearsWhatACrashLeft() throws {
    let version = try publish("a", seed: 1)
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

    let report = try AdapterStore(registry: try temporary.registry()).collectAll()
    #expect(report.removedFiles == 1 && report.quarantinedFiles == 1)
    #expect(report.missing.isEmpty && report.skippedShards == 0)
    #expect(Set(files().map(\.lastPathComponent)) == [file.lastPathComponent, "note.txt"])
    #expect(sameTensors(try current("a"), try makeAdapter(spec, seed: 1)))
    #expect(try store.collectAll() == OrphanReport())
    // A row without its file cannot come from a crash, but from a lost disk: it is reported.
    try FileManager.default.removeItem(at: file)
    #expect(try store.collectAll().missing == [version.blob?.name])
  }

  @Test func nothingIsCollectedWhileSomebodyPublishes() throws {
    let version = try publish("a", seed: 1)
    let shard = store.url(try #require(version.blob?.name)).deletingLastPathComponent()
    let orphan = shard.lastPathComponent + String(repeating: "0", count: 30)
    try Data().write(to: shard.appending(path: orphan + ".safetensors"))
    let publisher = try temporary.home.lock(AdapterStore.lockName, .shared)
    #expect(try store.collectOrphans().skippedShards == 256)
    #expect(files().count == 2)
    withExtendedLifetime(publisher) {}
  }

  @Test func publishersAndCollectorsLoseNothing() async throws {
    let (store, temporary, spec) = (store, temporary, spec)
    for name: Name in ["a", "b", "c"] { try store.registry.create(vbert: name, spec: spec) }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for name: Name in ["a", "b", "c"] {
        group.addTask {
          let mine = AdapterStore(registry: try temporary.registry())
          for seed in 1...8 {
            try mine.publish(
              try makeAdapter(spec, seed: seed), as: mine.registry.vbert(name), spec: spec,
              base: .tiny)
          }
        }
      }
      group.addTask { for _ in 0..<10 { try store.collectOrphans() } }
      try await group.waitForAll()
    }
    for name: Name in ["a", "b", "c"] {
      let versions = try store.registry.versions(of: name)
      #expect(versions.count == 8)
      for version in versions {
        #expect(
          sameTensors(
            try store.load(version, base: .tiny), try makeAdapter(spec, seed: version.id.number)))
      }
    }
  }
}
