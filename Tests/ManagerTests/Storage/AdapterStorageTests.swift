import Compute
import Foundation
import Model
import Testing

@testable import Manager

/// What `AdapterStore` and `AdapterCache` hold to whatever they stand on: files and SQLite, or blobs and
/// a registry that are a wait away.
@Suite struct AdapterStorageTests {
  struct Ground: Sendable, CustomTestStringConvertible {
    let blobs: BlobStoreKind
    let registry: RegistryStoreKind
    var testDescription: String { "\(blobs.testDescription), \(registry.testDescription)" }

    static let all = zip(BlobStoreKind.all, RegistryStoreKind.all).map(Ground.init)
  }

  let temporary = TemporaryHome()
  let spec = VBertSpec.example()

  private func store(_ ground: Ground) throws -> AdapterStore {
    let registry = try ground.registry.open(temporary.home)
    return AdapterStore(
      home: temporary.home, registry: registry, blobs: ground.blobs.open(temporary.home))
  }

  private func publish(
    _ name: VBertName, seed: Int, in store: AdapterStore
  ) async throws -> VersionRecord {
    var vbert = try await store.registry.find(name)
    if vbert == nil { vbert = try await store.registry.create(vbert: name, spec: spec) }
    return try await store.publish(
      try makeAdapter(spec, seed: seed), as: try #require(vbert), spec: spec, base: .tiny)
  }

  private func isLoaded(
    _ version: VersionRecord, seed: Int, from store: AdapterStore
  ) async throws -> Bool {
    sameTensors(
      try await store.load(version, base: .tiny), try makeAdapter(spec, seed: seed))
  }

  @Test(arguments: Ground.all) func whatIsPublishedIsLoaded(ground: Ground) async throws {
    let store = try store(ground)
    for seed in 1...3 {
      let version = try await publish("a", seed: seed, in: store)
      #expect(version.id.number == seed)
      #expect(try await isLoaded(version, seed: seed, from: store))
      // Its key is made of its content, and its content says what it is.
      let blob = try #require(version.blob)
      let bytes = try #require(try await store.blobs.get(blob.name))
      #expect(BlobKey.isValid(blob.name) && bytes.count == blob.byteCount)
      let metadata = try SafetensorsFile(bytes: bytes).metadata
      #expect(metadata["blob"] == blob.name && metadata["vbert"] == "a")
      #expect(metadata["tenant"] == "default" && metadata["format"] == "vbert-adapter-1")
    }
    #expect(try await store.blobs.list(prefix: "").count == 3)
    try await store.delete(vbert: "a")
    #expect(try await store.blobs.list(prefix: "").isEmpty)
  }

  /// The same parameters twice are two blobs: one goes with its version, and the other stays.
  @Test(arguments: Ground.all) func theSameTwiceIsTwo(ground: Ground) async throws {
    let store = try store(ground)
    let one = try await publish("a", seed: 1, in: store)
    let two = try await publish("a", seed: 1, in: store)
    #expect(one.blob?.name != two.blob?.name)
    try await store.blobs.remove(try #require(one.blob?.name))
    #expect(try await isLoaded(two, seed: 1, from: store))
    await #expect(throws: AdapterError.self) { try await store.load(one, base: .tiny) }
    try await store.delete(vbert: "a")
    #expect(try await isLoaded(publish("a", seed: 1, in: store), seed: 1, from: store))
  }

  @Test(arguments: Ground.all) func whatIsRefusedLeavesNothing(ground: Ground) async throws {
    let store = try store(ground)
    try await store.create(
      vbert: "a", spec: spec, base: .tiny, adapter: try makeAdapter(spec, seed: 4))
    await #expect(throws: AdapterError.registry(.vbertExists("a"))) {
      try await store.create(vbert: "a", spec: spec, base: .tiny, adapter: try makeAdapter(spec))
    }
    let gone = try await store.registry.create(vbert: "b", spec: spec)
    try await store.delete(vbert: "b")
    await #expect(throws: AdapterError.registry(.noVBERT("b"))) {
      try await store.publish(try makeAdapter(spec), as: gone, spec: spec, base: .tiny)
    }
    await #expect(throws: AdapterError.self) {
      try await store.publish(HostAdapter(), as: gone, spec: spec, base: .tiny)
    }
    #expect(try await store.blobs.list(prefix: "").count == 1)
  }

  @Test(arguments: Ground.all) func damageIsThatVersionsAlone(ground: Ground) async throws {
    let store = try store(ground)
    let (good, bad) = (
      try await publish("good", seed: 1, in: store), try await publish("bad", seed: 2, in: store)
    )
    let (other, mine) = (try #require(good.blob), try #require(bad.blob))
    let bytes = try #require(try await store.blobs.get(mine.name))
    var flipped = bytes
    flipped[bytes.count - 5] ^= 1
    let damages: [(String, [UInt8])] = [
      ("SHA-256", flipped), ("bytes instead of", bytes.dropLast(4)), ("bytes instead of", []),
      ("SHA-256", try #require(try await store.blobs.get(other.name))),
    ]
    for (word, damaged) in damages where damaged.count == mine.byteCount || word != "SHA-256" {
      try await store.blobs.put(damaged, under: mine.name)
      let error = await #expect(throws: AdapterError.self) {
        try await store.load(bad, base: .tiny)
      }
      guard case .corrupt("bad", 1, let why)? = error else { throw error ?? CancellationError() }
      #expect(why.contains(store.blobs.place(of: mine.name)) && why.contains(word), "\(why)")
      #expect(try await isLoaded(good, seed: 1, from: store))
    }
    try await store.blobs.remove(mine.name)
    await #expect(throws: AdapterError.self) { try await store.load(bad, base: .tiny) }
    try await store.blobs.put(bytes, under: mine.name)
    #expect(try await isLoaded(bad, seed: 2, from: store))
  }

  @Test(arguments: Ground.all) func whatWasPutAsideComesBack(ground: Ground) async throws {
    let store = try store(ground)
    let version = try await publish("a", seed: 1, in: store)
    let key = try #require(version.blob?.name)
    #expect(try await store.collectAll() == OrphanReport())
    #expect(try await !store.isEveryBlobMissing())
    // On the word of another registry.
    let report = try await OrphanReport.ofAll {
      try await store.blobs.sweep(age: 1000, now: Date()) { _ in [] }
    }
    #expect(report.quarantinedFiles == 1)
    #expect(try await store.isEveryBlobMissing())
    #expect(try await store.collectAll().restoredFiles == 1)
    _ = try await OrphanReport.ofAll {
      try await store.blobs.sweep(age: 1000, now: Date()) { _ in [] }
    }
    #expect(try await store.blobs.size(of: key) == nil)
    #expect(try await isLoaded(version, seed: 1, from: store))
  }

  /// Threads that are no tasks, on stores that are a wait away.
  @Test(arguments: Ground.all) func aBatchIsMadeResident(ground: Ground) async throws {
    let store = try store(ground)
    var ids: [VersionID] = []
    for seed in 0..<8 { ids.append(try await publish("v\(seed)", seed: seed, in: store).id) }
    let device = CountingDevice()
    let cache = AdapterCache(store: store, bound: 1 << 20) { device.load($0) }
    let gone = VersionID(vbert: 99, number: 1)
    let asked = ids + [gone]
    let found = await withCheckedContinuation { continuation in
      Thread.detachNewThread {
        continuation.resume(
          returning: cache.residents(for: asked, bases: asked.map { _ in .tiny }))
      }
    }
    for seed in ids.indices {
      let adapter = try #require(try found[seed].get() as? CountingDevice.Adapter)
      #expect(sameTensors(adapter.host, try makeAdapter(spec, seed: seed)))
    }
    #expect(throws: AdapterError.gone(gone)) { try found[8].get() }
    #expect(cache.statistics.misses == 9 && device.loads == 8)
  }
}
