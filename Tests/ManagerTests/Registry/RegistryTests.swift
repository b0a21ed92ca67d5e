import Compute
import Foundation
import GRDB
import Manager
import Model
import Testing

@Suite struct RegistryTests {
  let temporary = TemporaryHome()

  @Test func tenantsAreKnownByTheirKey() throws {
    let registry = try temporary.registry()
    let key = try registry.createTenant("acme", processor: VirtualProcessor(weight: 2.5))
    #expect(key.hasPrefix("vb_") && key.utf8.count == 46)
    let acme = try #require(try registry.tenant(forKey: key))
    #expect(acme.name == "acme" && acme.processor.weight == 2.5 && acme.hasKey)
    #expect(try registry.tenant(acme.id) == acme)
    #expect(try registry.tenant(forKey: key + "x") == nil)
    #expect(try registry.tenant(forKey: "") == nil)
    #expect(try registry.listTenants().map(\.name) == ["acme", "default"])
    #expect(try registry.listTenants().map(\.hasKey) == [true, false])
    #expect(throws: RegistryError.tenantExists("acme")) { try registry.createTenant("acme") }
    try registry.deleteTenant("acme")
    #expect(try registry.tenant(forKey: key) == nil)
    #expect(try registry.tenant(acme.id) == nil)
    #expect(throws: RegistryError.noTenant("acme")) { try registry.deleteTenant("acme") }
    #expect(throws: RegistryError.defaultTenant) { try registry.deleteTenant("default") }
    // The key itself is nowhere on the disk.
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

  @Test func aTenantIsDeletedWithItsVBERTsOnlyIfAsked() throws {
    let registry = try temporary.registry()
    _ = try registry.createTenant("acme")
    try registry.create(vbert: "one", tenant: "acme", spec: .example())
    try registry.create(vbert: "two", spec: .example())
    #expect(throws: RegistryError.tenantHasVBERTs(tenant: "acme", count: 1)) {
      try registry.deleteTenant("acme")
    }
    #expect(try registry.find("one") != nil)
    try registry.deleteTenant("acme", vberts: true)
    #expect(try registry.find("one") == nil)
    #expect(try registry.find("two") != nil)
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

  @Test func namesThatLookAlikeAreNotEachOther() throws {
    let registry = try temporary.registry()
    for name: Name in ["mood", "Mood", "mood.", "mood-1", "Kate"] {
      try registry.create(vbert: name, spec: .example())
    }
    #expect(try registry.find("mood")?.name == "mood")
    #expect(try registry.find("MOOD") == nil)
    #expect(try registry.find("Mood")?.id != registry.find("mood")?.id)
    #expect(try registry.list(prefix: "mood\0z").isEmpty)
    #expect(try registry.list(prefix: "mood").map(\.name) == ["mood", "mood-1", "mood."])
  }

  @Test func vBERTsAreFoundListedAndDeleted() throws {
    let registry = try temporary.registry()
    _ = try registry.createTenant("acme")
    let acme = try registry.tenant(named: "acme").id
    var spec = VBertSpec.example(labels: ["a", "ü\"\\\u{0}", "c"])
    spec.domain = "finance"
    spec.pooling = .cls
    let made = try registry.create(vbert: "b.2", tenant: "acme", spec: spec)
    #expect(made.spec == spec && made.version == nil && made.tenant == acme)
    for name in ["a", "b", "b.1", "b-1", "c", String(repeating: "z", count: 128)] {
      try registry.create(vbert: Name(name), spec: .example())
    }
    #expect(try registry.find("b.2") == made)
    #expect(try registry.find("b.2") == made)
    #expect(try registry.find("b.2", tenant: acme) == made)
    #expect(try registry.find("b", tenant: acme) == nil)
    #expect(try registry.find("B.2") == nil)
    #expect(try registry.list(prefix: "b").map(\.name) == ["b", "b-1", "b.1", "b.2"])
    #expect(try registry.list(limit: 2).map(\.name) == ["a", "b"])
    #expect(try registry.list(after: "b", limit: 2).map(\.name) == ["b-1", "b.1"])
    #expect(try registry.list(tenant: acme).map(\.name) == ["b.2"])
    #expect(try registry.list(prefix: "x").isEmpty)
    #expect(try registry.countVBERTs() == 7)
    #expect(throws: RegistryError.vbertExists("a")) {
      try registry.create(vbert: "a", spec: .example())
    }
    #expect(throws: RegistryError.noTenant("nobody")) {
      try registry.create(vbert: "d", tenant: "nobody", spec: .example())
    }
    try registry.delete(vbert: "b.2")
    #expect(try registry.find("b.2") == nil)
    #expect(throws: RegistryError.noVBERT("b.2")) { try registry.delete(vbert: "b.2") }
    // The same name again is another vBERT.
    #expect(try registry.create(vbert: "b.2", spec: .example()).id != made.id)
  }

  @Test func anEmbedderServesAtOnce() throws {
    let registry = try temporary.registry()
    let made = try registry.create(vbert: "e", spec: .embedder)
    #expect(made.version == VersionID(vbert: made.id, number: 1))
    #expect(try registry.find("e") == made)
    let versions = try registry.versions(of: "e")
    #expect(versions.count == 1 && versions[0].blob == nil)
    #expect(try registry.create(vbert: "s", spec: .example(.score, labels: [])).version == nil)
    let adapted = VBertSpec.example(.embed, labels: [])
    #expect(try registry.create(vbert: "t", spec: adapted).version == nil)
  }

  @Test func settingsAreKept() throws {
    let registry = try temporary.registry()
    #expect(try registry.setting(.defaultBase) == nil)
    try registry.set(.defaultBase, to: "a")
    try registry.set(.defaultBase, to: "minilm")
    #expect(try temporary.registry().setting(.defaultBase) == "minilm")
    try registry.set(.defaultBase, to: nil)
    #expect(try registry.setting(.defaultBase) == nil)
  }

  /// Two registries on one home are what a server and a command line are.
  @Test func whatAnotherProcessChangesIsSeenAtOnce() throws {
    let server = try temporary.registry()
    let other = try temporary.registry()
    #expect(try server.find("a") == nil)
    try other.create(vbert: "a", spec: .embedder)
    let first = try #require(try server.find("a"))
    try other.delete(vbert: "a")
    #expect(try server.find("a") == nil)
    try other.create(vbert: "a", spec: .embedder)
    let second = try #require(try server.find("a"))
    #expect(second.id != first.id)
    let key = try other.createTenant("acme")
    #expect(try server.tenant(forKey: key)?.name == "acme")
    try other.deleteTenant("acme")
    #expect(try server.tenant(forKey: key) == nil)
  }

  @Test func manyChangesAtOnceAreSeen() throws {
    let server = try temporary.registry()
    try server.create(vbert: "a", spec: .embedder)
    #expect(try server.find("a") != nil)
    // More than the change log holds, the one on "a" among the first.
    let other = try temporary.registry()
    try other.delete(vbert: "a")
    try DatabaseQueue(path: temporary.home.registry.path()).write { db in
      for _ in 0..<12_000 { try db.execute(sql: "INSERT INTO changes (vbert) VALUES ('b')") }
    }
    try other.create(vbert: "c", spec: .embedder)
    #expect(try server.find("a") == nil)
    let kept = try DatabaseQueue(path: temporary.home.registry.path()).read { db in
      try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM changes")
    }
    #expect(kept == 10_000)
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
