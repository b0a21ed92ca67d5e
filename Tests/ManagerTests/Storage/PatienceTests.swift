import Foundation
import GRDB
import Model
import Synchronization
import Testing

@testable import Manager

/// A finished training is not lost to somebody who holds a lock.
@Suite(.serialized) struct PatienceTests {
  let temporary = TemporaryHome()
  let spec = VBertSpec.example()

  private func publications(_ count: Int, _ store: AdapterStore) async throws
    -> [AdapterStore.Publication]
  {
    var vberts: [VBertRecord] = []
    for n in 0..<count {
      vberts.append(try await store.registry.create(vbert: "v\(n)", spec: spec))
    }
    return try vberts.enumerated().map { seed, vbert in
      AdapterStore.Publication(
        try makeAdapter(spec, seed: seed), as: vbert, spec: spec, metrics: ["dev": 1], note: "",
        job: nil)
    }
  }

  private func kept() -> [String] {
    (try? FileManager.default.contentsOfDirectory(
      atPath: temporary.home.unpublished.path(percentEncoded: false))) ?? []
  }

  /// Somebody's open transaction: what was trained is on the disk at once, and published afterwards.
  @Test func aHeldWriteLockIsWaitedFor() async throws {
    let store = AdapterStore(registry: try temporary.registry())
    let list = try await publications(2, store)
    let other = try DatabaseQueue(path: temporary.home.registry.path(percentEncoded: false))
    let said = Mutex<[String]>([])
    let (began, isWaiting) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
    let holder = Thread {
      try? other.inDatabase { db in
        try db.execute(sql: "BEGIN IMMEDIATE")
        began.signal()
        isWaiting.wait()
        try db.execute(sql: "COMMIT")
      }
    }
    holder.start()
    began.wait()
    let keptMeanwhile = Mutex<Int>(0)
    let results = await store.publish(
      list, base: .tiny,
      patience: Patience { text in
        said.withLock { $0.append(text) }
        keptMeanwhile.withLock { $0 = kept().count }
        isWaiting.signal()
      })
    for result in results { #expect(try result.get().id.number == 1) }
    #expect(said.withLock(\.count) == 1 && keptMeanwhile.withLock { $0 } == 2)
    #expect(kept() == [])
  }

  /// One who never lets go: the result stays, and is published from where it lies.
  @Test func patienceEndsAndTheResultIsKept() async throws {
    let store = AdapterStore(registry: try temporary.registry())
    let list = try await publications(1, store)
    let collector = try temporary.home.lock(FileBlobs.lockName)
    let error = await #expect(throws: AdapterError.self) {
      try await store.publish(list, base: .tiny, patience: Patience(seconds: 0.1))[0].get()
    }
    withExtendedLifetime(collector) {}
    guard case .kept("v0", _, _)? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(kept().count == 1)
    withExtendedLifetime(collector) {}
  }

  @Test func whatWasKeptIsPublished() async throws {
    let store = AdapterStore(registry: try temporary.registry())
    let list = try await publications(2, store)
    let place = temporary.home.root.appending(path: "kept", directoryHint: .isDirectory)
    try AdapterStore.write(list[0], to: place)
    let version = try await store.importDirectory(place, into: "v0") { _ in .tiny }
    #expect(version.id.number == 1 && version.metrics == ["dev": 1])
    #expect(sameTensors(try await store.load(version, base: .tiny), try makeAdapter(spec, seed: 0)))
    #expect(try await store.importDirectory(place, into: "v1") { _ in .tiny }.id.number == 1)
    try await store.registry.create(vbert: "other", spec: .embedder)
    await #expect(throws: DirectoryError.self) {
      try await store.importDirectory(place, into: "other") { _ in .tiny }
    }
    await #expect(throws: RegistryError.noVBERT("none")) {
      try await store.importDirectory(place, into: "none") { _ in .tiny }
    }
  }
}
