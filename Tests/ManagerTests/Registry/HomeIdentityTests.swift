import Files
import Foundation
import GRDB
import Model
import Testing

@testable import Manager

/// A registry that is not the blobs' own must not have them collected.
@Suite struct HomeIdentityTests {
  let temporary = TemporaryHome()
  private var home: Home { temporary.home }

  /// Every mix of what can be seen, and what may be done about it.
  @Test func judgement() {
    func judge(
      _ registry: String?, _ folder: String?, isNew: Bool = false, blobs: Bool = true,
      knows: Bool = false
    ) -> HomeIdentity.Verdict {
      HomeIdentity.judge(
        .init(
          registry: registry, folder: folder, registryIsNew: isNew, holdsBlobs: blobs,
          knowsOne: knows), fresh: "new")
    }
    #expect(judge("a", "a") == .adopt("a"))
    #expect(judge("a", "a", knows: true) == .adopt("a"))
    #expect(judge(nil, nil, isNew: true, blobs: false) == .adopt("new"))
    #expect(judge(nil, "a", isNew: true, blobs: false) == .adopt("new"))
    #expect(judge("a", "b", blobs: false) == .adopt("a"))
    #expect(judge("a", nil, blobs: false) == .adopt("a"))
    #expect(judge(nil, nil, isNew: true) == .lost)
    #expect(judge(nil, "a", isNew: true) == .lost)
    #expect(judge("a", "b") == .foreign(registry: "a", folder: "b"))
    #expect(judge("a", "b", knows: true) == .foreign(registry: "a", folder: "b"))
    #expect(judge(nil, "b", knows: true) == .foreign(registry: nil, folder: "b"))
    #expect(judge("a", nil) == .unknown)
    #expect(judge(nil, nil) == .unknown)
    #expect(judge(nil, nil, knows: true) == .adopt("new"))
    #expect(judge("a", nil, knows: true) == .adopt("a"))
  }

  private func fill() async throws {
    let store = AdapterStore(registry: try temporary.registry())
    for seed in 1...3 {
      try await store.create(
        vbert: "v\(seed)", spec: .example(), base: .tiny,
        adapter: try makeAdapter(.example(), seed: seed))
    }
  }

  private func blobs() -> Set<String> {
    let all = FileManager.default.enumerator(atPath: home.adapters.path())
    return Set(
      (all?.allObjects as? [String] ?? []).filter {
        $0.hasSuffix(".safetensors") && !$0.hasPrefix(".quarantine")
      })
  }

  private func removeRegistry() throws {
    for end in ["", "-wal", "-shm"] {
      let file = home.root.appending(path: "registry.sqlite" + end)
      if FileManager.default.fileExists(atPath: file.path()) {
        try FileManager.default.removeItem(at: file)
      }
    }
  }

  /// Refused, with every blob where it was, and again at the second try.
  private func expectRefused(
    _ isExpected: (RegistryError) -> Bool, _ comment: Comment,
    location: SourceLocation = #_sourceLocation
  ) {
    let before = blobs()
    for _ in 1...2 {
      let error = #expect(throws: RegistryError.self, comment, sourceLocation: location) {
        try temporary.registry()
      }
      #expect(error.map(isExpected) == true, comment, sourceLocation: location)
    }
    #expect(blobs() == before && before.count == 3, comment, sourceLocation: location)
  }

  private func isLost(_ error: RegistryError) -> Bool {
    if case .lost = error { true } else { false }
  }

  @Test func aRegistryThatIsGoneOrEmptyIsRefused() async throws {
    try await fill()
    let kept = home.root.appending(path: "kept.sqlite")
    try FileManager.default.copyItem(at: home.registry, to: kept)
    try removeRegistry()
    expectRefused(isLost, "no file")
    #expect(!FileManager.default.fileExists(atPath: home.registry.path()))
    try Data().write(to: home.registry)
    expectRefused(isLost, "no bytes")
    try removeRegistry()
    try DatabaseQueue(path: home.registry.path()).inDatabase { try $0.execute(sql: "VACUUM") }
    expectRefused(isLost, "a database without tables")
    try removeRegistry()
    try FileManager.default.copyItem(at: kept, to: home.registry)
    #expect(try await temporary.registry().list().count == 3)
  }

  @Test func anotherHomesRegistryIsRefused() async throws {
    try await fill()
    let other = TemporaryHome()
    _ = try await other.registry().list()
    try removeRegistry()
    try FileManager.default.copyItem(at: other.home.registry, to: home.registry)
    expectRefused({ if case .foreign = $0 { true } else { false } }, "another's")
    // The same where the folder has lost its mark.
    try FileManager.default.removeItem(at: home.adapters.appending(path: HomeIdentity.markerName))
    expectRefused({ if case .unknownBlobs = $0 { true } else { false } }, "unknown")
  }

  @Test func anotherProgramsDatabaseIsRefused() async throws {
    try await fill()
    try removeRegistry()
    try await DatabaseQueue(path: home.registry.path()).write {
      try $0.execute(sql: "CREATE TABLE tenants (id INTEGER PRIMARY KEY)")
    }
    expectRefused({ if case .notOurs = $0 { true } else { false } }, "no registry")
    try Data("not a database, and longer than a header of one hundred bytes".utf8)
      .write(to: home.registry)
    expectRefused({ if case .storage = $0 { true } else { false } }, "no database")
  }

  @Test func anUnreadableMarkIsRefused() async throws {
    try await fill()
    try Data("{".utf8).write(to: home.adapters.appending(path: HomeIdentity.markerName))
    expectRefused({ if case .unreadableMarker = $0 { true } else { false } }, "mark")
  }

  /// A home of before identities, and one that came back from a backup without the mark.
  @Test func anOlderHomeIsAdopted() async throws {
    try await fill()
    let mark = home.adapters.appending(path: HomeIdentity.markerName)
    try FileManager.default.removeItem(at: mark)
    #expect(try await temporary.registry().list().count == 3)
    #expect(FileManager.default.fileExists(atPath: mark.path()))
    try FileManager.default.removeItem(at: mark)
    try await DatabaseQueue(path: home.registry.path()).write {
      try $0.execute(sql: "DELETE FROM settings WHERE key = 'home'")
    }
    #expect(try await temporary.registry().list().count == 3)
    #expect(try HomeIdentity.marker(in: home.adapters) != nil)
    #expect(try await temporary.registry().list().count == 3)
  }

  /// Whose folder a link leads to is told by the mark; a link is never collected through.
  @Test func linksAreNotFollowed() async throws {
    try await fill()
    let (mine, other) = (home, TemporaryHome())
    try FileManager.default.createDirectory(
      at: other.home.root, withIntermediateDirectories: true)
    try FileManager.default.createSymbolicLink(
      at: other.home.adapters, withDestinationURL: mine.adapters)
    #expect(throws: RegistryError.self) { try other.registry() }
    #expect(blobs().count == 3)

    // One's own folder on another disk: it serves, and nothing in it is collected.
    let moved = home.root.appending(path: "elsewhere", directoryHint: .isDirectory)
    try FileManager.default.moveItem(at: home.adapters, to: moved)
    try FileManager.default.createSymbolicLink(at: home.adapters, withDestinationURL: moved)
    let store = AdapterStore(registry: try temporary.registry())
    try await store.registry.delete(vbert: "v1")
    let report = try await store.collectAll()
    #expect(report.links.count == 1 && report.quarantinedFiles == 0)

    // A shard that is a link to somebody's folder.
    try FileManager.default.removeItem(at: home.adapters)
    try FileManager.default.moveItem(at: moved, to: home.adapters)
    let theirs = home.root.appending(path: "theirs", directoryHint: .isDirectory)
    try FileManager.default.createDirectory(at: theirs, withIntermediateDirectories: true)
    let free = try #require(
      BlobFiles.shards.first { FileKind(BlobFiles(home).shard($0)) == .missing })
    let file = theirs.appending(path: free + String(repeating: "a", count: 30) + ".safetensors")
    try Data("theirs".utf8).write(to: file)
    try FileManager.default.createSymbolicLink(
      at: BlobFiles(home).shard(free), withDestinationURL: theirs)
    let again = try await store.collectAll()
    #expect(again.links.count == 1 && again.quarantinedFiles == 1)
    #expect(FileManager.default.fileExists(atPath: file.path()))
  }

  @Test func whatNoVersionKnowsIsKeptForAWhile() async throws {
    try await fill()
    let store = AdapterStore(registry: try temporary.registry())
    let version = try #require(try await store.registry.versions(of: "v1").first)
    let blob = try #require(version.blob?.name)
    let rows = try DatabaseQueue(path: home.registry.path())
    try await rows.write {
      try $0.execute(sql: "UPDATE versions SET blob = NULL WHERE blob = ?", arguments: [blob])
    }
    let start = Date(timeIntervalSince1970: 1_800_000_000)
    let first = try await store.collectOrphans(now: start)
    #expect(first.quarantinedFiles == 1 && first.removedFiles == 0)
    #expect(try await store.collectOrphans(now: start + 6 * 86400).removedFiles == 0)

    // The registry knows it again: it is back at once where it is asked for, or with the collection.
    func know() async throws {
      try await rows.write {
        try $0.execute(
          sql: "UPDATE versions SET blob = ? WHERE vbert = ? AND number = 1",
          arguments: [blob, version.id.vbert])
      }
    }
    try await know()
    let found = try #require(try await store.registry.version(version.id))
    #expect(
      sameTensors(try await store.load(found, base: .tiny), try makeAdapter(.example(), seed: 1)))
    #expect(try await store.collectOrphans(now: start + 86400) == OrphanReport())

    try await rows.write {
      try $0.execute(sql: "UPDATE versions SET blob = NULL WHERE blob = ?", arguments: [blob])
    }
    #expect(try await store.collectOrphans(now: start).quarantinedFiles == 1)
    try await know()
    #expect(try await store.collectOrphans(now: start + 99 * 86400).restoredFiles == 1)

    try await rows.write {
      try $0.execute(sql: "UPDATE versions SET blob = NULL WHERE blob = ?", arguments: [blob])
    }
    #expect(try await store.collectOrphans(now: start).quarantinedFiles == 1)
    let last = try await store.collectOrphans(now: start + 8 * 86400)
    #expect(last.removedFiles == 1 && last.quarantinedFiles == 0)
  }

  /// An index that has lost its entries knows no blob, and says so without an error.
  @Test func nothingIsCollectedOnADamagedRegistrysWord() async throws {
    try await fill()
    let path = home.registry.path()
    let (page, size) = try { () throws -> (Int, Int) in
      let rows = try DatabaseQueue(path: path)
      return try rows.writeWithoutTransaction { db in
        try db.execute(sql: "PRAGMA wal_checkpoint(TRUNCATE)")
        let page = try Int.fetchOne(
          db, sql: "SELECT rootpage FROM sqlite_schema WHERE name = 'sqlite_autoindex_versions_1'")
        return (try #require(page), try Int.fetchOne(db, sql: "PRAGMA page_size") ?? 0)
      }
    }()
    var bytes = try Data(contentsOf: home.registry)
    // No cells.
    bytes.replaceSubrange((page - 1) * size + 3..<(page - 1) * size + 5, with: [0, 0])
    try bytes.write(to: home.registry)
    let store = AdapterStore(registry: try temporary.registry())
    await #expect(throws: RegistryError.self) { try await store.collectOrphans() }
    #expect(FileKind(BlobFiles(home).quarantine) == .missing)
    let first = try #require(try await store.registry.versions(of: "v1").first)
    #expect(
      sameTensors(try await store.load(first, base: .tiny), try makeAdapter(.example(), seed: 1)))
  }
}
