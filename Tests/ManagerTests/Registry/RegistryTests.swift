import Compute
import Foundation
import GRDB
import Manager
import Model
import Testing

@Suite struct RegistryTests {
  let temporary = TemporaryHome()

  @Test func aKeyIsNowhereOnTheDisk() throws {
    let registry = try temporary.registry()
    let key = try registry.createTenant("acme")
    #expect(try registry.holder(ofKey: key) != nil)
    let files = try FileManager.default.contentsOfDirectory(
      at: temporary.home.root, includingPropertiesForKeys: nil)
    for file in files where file.lastPathComponent.hasPrefix("registry") {
      #expect(try Data(contentsOf: file).range(of: Data(key.utf8)) == nil)
    }
  }

  /// A look-up that begins after a commit sees it, however often the answer was remembered, and
  /// through whichever connection it was made; checkpoints change nothing.
  @Test func everyCommitIsSeenAtOnce() throws {
    let (ours, theirs) = (try temporary.registry(), try temporary.registry())
    let file = try DatabaseQueue(path: temporary.home.registry.path())
    for round in 0..<60 {
      #expect(try ours.find("one") == nil && theirs.find("one") == nil)
      let maker = round % 2 == 0 ? ours : theirs
      let id = try maker.create(vbert: "one", spec: .example()).id
      for registry in [ours, theirs] {
        #expect(try registry.find("one")?.id == id)
        #expect(try registry.find("one")?.id == id)
      }
      if round % 7 == 0 { try file.writeWithoutTransaction { _ = try $0.checkpoint(.truncate) } }
      #expect(try ours.find("one")?.id == id)
      try (round % 3 == 0 ? ours : theirs).delete(vbert: "one")
    }
    #expect(try !ours.isClosed())
    _ = try theirs.createTenant("acme")
    #expect(try ours.isClosed())
    // The last key goes, and it stays closed; also for who opens it anew.
    try theirs.deleteTenant("acme")
    #expect(try ours.isClosed() && temporary.registry().isClosed())
    try theirs.set(isClosed: false)
    #expect(try !ours.isClosed())
    try theirs.set(isClosed: true)
    #expect(try ours.isClosed())
    // What nobody knows how to read is closed.
    try file.write {
      try $0.execute(sql: "UPDATE settings SET value = 'opne' WHERE key = 'access'")
    }
    #expect(try temporary.registry().isClosed())
  }

  @Test(arguments: [
    "", ".", "-a", "_a", "a b", "a/b", "ä", "a\0", "..", "a\n", String(repeating: "a", count: 129),
    // Equal to "mood" for SQLite, to "Kate" for Swift's strings, and to neither for us.
    "mood\0z", "\u{212A}ate", "\u{FF4D}ood", "mo\u{43E}d", "mood\u{200B}", "mood\u{301}", "mood ",
    String(repeating: "a", count: 4 << 20),
  ]) func namesThatCouldDoHarmAreRefused(name: String) throws {
    let error = #expect(throws: NameError(text: name)) { try Name(name) }
    #expect(error.map { "\($0)".utf8.count < 600 } == true)
  }

  @Test func manyChangesAtOnceAreSeen() throws {
    let server = try temporary.registry()
    try server.create(vbert: "a", spec: .embedder)
    #expect(try server.find("a") != nil)
    // More than the change log holds, the one on "a" among the first.
    let other = try temporary.registry()
    try other.delete(vbert: "a")
    try DatabaseQueue(path: temporary.home.registry.path()).write { db in
      for _ in 0..<12_000 {
        try db.execute(sql: "INSERT INTO changes (vbert) VALUES ('default/b')")
      }
    }
    try other.create(vbert: "c", spec: .embedder)
    #expect(try server.find("a") == nil)
    let kept = try DatabaseQueue(path: temporary.home.registry.path()).read { db in
      try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM changes")
    }
    #expect(kept == 10_000)
    // Who is further behind than the log is told so, and so is who meets what nobody of us wrote.
    #expect(try !server.changes(since: 1).isComplete)
    let last = try server.changes(since: 11_000).last
    #expect(try server.changes(since: last - 10_000).isComplete)
    try DatabaseQueue(path: temporary.home.registry.path()).write { db in
      try db.execute(sql: "INSERT INTO changes (vbert) VALUES ('no name')")
    }
    #expect(try !server.changes(since: last).isComplete)
  }

  @Test func theHomeIsPrivate() throws {
    _ = try temporary.registry()
    for directory in [temporary.home.root, temporary.home.adapters, temporary.home.locks] {
      let attributes = try FileManager.default.attributesOfItem(atPath: directory.path())
      #expect(attributes[.posixPermissions] as? Int == 0o700)
    }
  }

  /// Whatever the umask, and of a home that was open: never through a link.
  @Test func everyFileOfTheHomeIsPrivate() async throws {
    let home = temporary.home
    let registry = try temporary.registry()
    let store = AdapterStore(registry: registry)
    let spec = VBertSpec.example()
    try await store.create(
      vbert: "a", spec: spec, base: .tiny, adapter: try makeAdapter(spec, seed: 1))
    func modes() throws -> [Int] {
      let paths =
        [""]
        + (FileManager.default.enumerator(atPath: home.root.path())?
          .compactMap { $0 as? String } ?? [])
      return try paths.compactMap { path in
        let attributes = try FileManager.default.attributesOfItem(
          atPath: home.root.appending(path: path).path())
        guard attributes[.type] as? FileAttributeType != .typeSymbolicLink else { return nil }
        return attributes[.posixPermissions] as? Int
      }
    }
    #expect(try modes().count > 8 && modes().allSatisfy { $0 & 0o077 == 0 })

    let outside = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try Data().write(to: outside)
    defer { try? FileManager.default.removeItem(at: outside) }
    try FileManager.default.setAttributes(
      [.posixPermissions: 0o644], ofItemAtPath: outside.path())
    let link = home.adapters.appending(path: "link")
    try FileManager.default.createSymbolicLink(at: link, withDestinationURL: outside)
    for path in FileManager.default.enumerator(atPath: home.root.path())?
      .compactMap({ $0 as? String }) ?? [] where !path.hasSuffix("link")
    {
      let full = home.root.appending(path: path).path()
      let old = try FileManager.default.attributesOfItem(atPath: full)[.posixPermissions] as? Int
      try FileManager.default.setAttributes(
        [.posixPermissions: (old ?? 0o600) | 0o055], ofItemAtPath: full)
    }
    #expect(HomeModes.tighten(home) > 8 && HomeModes.tighten(home) == 0)
    #expect(try modes().allSatisfy { $0 & 0o077 == 0 })
    let kept = try FileManager.default.attributesOfItem(atPath: outside.path())
    #expect(kept[.posixPermissions] as? Int == 0o644)
    #expect(
      sameTensors(
        try await store.load(try #require(registry.versions(of: "a").first), base: .tiny),
        try makeAdapter(spec, seed: 1)))
  }

  /// Copying registry.sqlite of a home that nobody has open copies everything.
  @Test func theLastToCloseLeavesOneFile() throws {
    do {
      let registry = try temporary.registry()
      try registry.create(vbert: "a", spec: .embedder)
    }
    let files = try FileManager.default.contentsOfDirectory(atPath: temporary.home.root.path())
    #expect(files.filter { $0.hasPrefix("registry") } == ["registry.sqlite"])
    #expect(try temporary.registry().find("a") != nil)
  }

  @Test func aFileThatIsNoRegistryIsAnError() throws {
    try temporary.home.create()
    try Data("this is not a database at all, but long enough".utf8).write(
      to: temporary.home.registry)
    #expect(throws: RegistryError.self) { try temporary.registry() }
  }

  @Test func theHomeIsWhereTheUserSays() {
    let environment = ["VBERT_HOME": "/somewhere"]
    #expect(Home(option: "/here", environment: environment).root.path() == "/here/")
    #expect(Home(environment: environment).root.path() == "/somewhere/")
    #expect(Home(environment: [:]).root.lastPathComponent == ".vbert")
  }
}
