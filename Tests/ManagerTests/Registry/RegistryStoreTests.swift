import Compute
import Foundation
import Model
import Testing

@testable import Manager

/// What holds for every `RegistryStore`. What is SQLite's own (damage, its files, its locks) is in
/// `RegistryTests` and `VersionTests`.
@Suite struct RegistryStoreTests {
  let temporary = TemporaryHome()

  @Test(arguments: RegistryStoreKind.all) func tenantsAreKnownByTheirKey(kind: RegistryStoreKind)
    async throws
  {
    let registry = try kind.open(temporary.home)
    let key = try await registry.createTenant("acme", processor: VirtualProcessor(weight: 2.5))
    #expect(key.hasPrefix("vb_") && key.utf8.count == 46)
    let acme = try #require(try await registry.holder(ofKey: key)?.tenant)
    #expect(acme.name == "acme" && acme.processor.weight == 2.5 && acme.keys == 1)
    #expect(try await registry.tenant(acme.id) == acme)
    #expect(try await registry.holder(ofKey: key + "x") == nil)
    #expect(try await registry.holder(ofKey: "") == nil)
    #expect(try await registry.listTenants().map(\.name) == ["acme", "default"])
    #expect(try await registry.listTenants().map(\.keys) == [1, 0])
    await #expect(throws: RegistryError.tenantExists("acme")) {
      try await registry.createTenant("acme")
    }
    try await registry.deleteTenant("acme")
    #expect(try await registry.holder(ofKey: key) == nil)
    #expect(try await registry.tenant(acme.id) == nil)
    await #expect(throws: RegistryError.noTenant("acme")) {
      try await registry.deleteTenant("acme")
    }
    await #expect(throws: RegistryError.defaultTenant) {
      try await registry.deleteTenant("default")
    }
  }

  @Test(arguments: RegistryStoreKind.all) func aTenantIsDeletedWithItsVBERTsOnlyIfAsked(
    kind: RegistryStoreKind
  ) async throws {
    let registry = try kind.open(temporary.home)
    _ = try await registry.createTenant("acme")
    try await registry.create(vbert: "acme/one", spec: .example())
    try await registry.create(vbert: "two", spec: .example())
    await #expect(throws: RegistryError.tenantHasVBERTs(tenant: "acme", count: 1)) {
      try await registry.deleteTenant("acme")
    }
    #expect(try await registry.find("acme/one") != nil)
    try await registry.deleteTenant("acme", vberts: true)
    #expect(try await registry.find("acme/one") == nil)
    #expect(try await registry.find("two") != nil)
  }

  @Test(arguments: RegistryStoreKind.all) func namesThatLookAlikeAreNotEachOther(
    kind: RegistryStoreKind
  ) async throws {
    let registry = try kind.open(temporary.home)
    for name: VBertName in ["mood", "Mood", "mood.", "mood-1", "Kate"] {
      try await registry.create(vbert: name, spec: .example())
    }
    #expect(try await registry.find("mood")?.name == "mood")
    #expect(try await registry.find("MOOD") == nil)
    #expect(try await registry.find("Mood")?.id != registry.find("mood")?.id)
    #expect(try await registry.list(prefix: "mood\0z").isEmpty)
    #expect(try await registry.list(prefix: "mood").map(\.name) == ["mood", "mood-1", "mood."])
  }

  @Test(arguments: RegistryStoreKind.all) func vBERTsAreFoundListedAndDeleted(
    kind: RegistryStoreKind
  ) async throws {
    let registry = try kind.open(temporary.home)
    _ = try await registry.createTenant("acme")
    let acme = try await registry.tenant(named: "acme").id
    var spec = VBertSpec.example(labels: ["a", "ü\"\\\u{0}", "c"])
    spec.domain = "finance"
    spec.pooling = .cls
    let made = try await registry.create(vbert: "acme/b.2", spec: spec)
    #expect(made.spec == spec && made.version == nil && made.tenant == acme)
    for name in ["a", "b", "b.1", "b-1", "c", String(repeating: "z", count: 128)] {
      try await registry.create(vbert: VBertName(name), spec: .example())
    }
    #expect(try await registry.find("acme/b.2") == made)
    #expect(try await registry.find("acme/b.2") == made)
    #expect(try await registry.vbert("acme/b.2") == made)
    #expect(try await registry.find("acme/b") == nil)
    #expect(try await registry.find("acme/B.2") == nil)
    #expect(try await registry.find("b.2") == nil)
    let list = try await registry.list(prefix: "b")
    #expect(list.map(\.name) == ["acme/b.2", "b", "b-1", "b.1"])
    #expect(try await registry.list(limit: 3).map(\.name) == ["acme/b.2", "a", "b"])
    #expect(try await registry.list(after: "acme/b.2", limit: 1).map(\.name) == ["a"])
    #expect(try await registry.list(after: "b", limit: 2).map(\.name) == ["b-1", "b.1"])
    #expect(try await registry.list(tenant: "acme").map(\.name) == ["acme/b.2"])
    #expect(
      try await registry.list(tenant: "default", after: "c").map(\.name.name.text.first) == ["z"])
    #expect(try await registry.list(prefix: "x").isEmpty)
    #expect(try await registry.countVBERTs() == 7)
    await #expect(throws: RegistryError.vbertExists("a")) {
      try await registry.create(vbert: "a", spec: .example())
    }
    await #expect(throws: RegistryError.noTenant("nobody")) {
      try await registry.create(vbert: "nobody/d", spec: .example())
    }
    // Whoever writes a name alone is told whose is what it may mean.
    await #expect(throws: RegistryError.noVBERT("b.2", others: ["acme/b.2"])) {
      try await registry.delete(vbert: "b.2")
    }
    await #expect(throws: RegistryError.noVBERT("b.2", others: ["acme/b.2"])) {
      try await registry.vbert("b.2")
    }
    try await registry.delete(vbert: "acme/b.2")
    #expect(try await registry.find("acme/b.2") == nil)
    await #expect(throws: RegistryError.noVBERT("acme/b.2")) {
      try await registry.delete(vbert: "acme/b.2")
    }
    // The same name again is another vBERT.
    let again = try await registry.create(vbert: "acme/b.2", spec: .example())
    #expect(again.id != made.id)
    // Two tenants' are two.
    let other = try await registry.create(vbert: "b.2", spec: .embedder)
    #expect(try await registry.find("b.2") == other)
    #expect(try await registry.find("acme/b.2") == again)
  }

  @Test(arguments: RegistryStoreKind.all) func anEmbedderServesAtOnce(kind: RegistryStoreKind)
    async throws
  {
    let registry = try kind.open(temporary.home)
    let made = try await registry.create(vbert: "e", spec: .embedder)
    #expect(made.version == VersionID(vbert: made.id, number: 1))
    #expect(try await registry.find("e") == made)
    let versions = try await registry.versions(of: "e")
    #expect(versions.count == 1 && versions[0].blob == nil)
    #expect(
      try await registry.create(vbert: "s", spec: .example(.score, labels: [])).version == nil)
    let adapted = VBertSpec.example(.embed, labels: [])
    #expect(try await registry.create(vbert: "t", spec: adapted).version == nil)
  }

  @Test(arguments: RegistryStoreKind.all) func settingsAreKept(kind: RegistryStoreKind) async throws
  {
    let registry = try kind.open(temporary.home)
    #expect(try await registry.setting(.defaultBase) == nil)
    try await registry.set(.defaultBase, to: "a")
    try await registry.set(.defaultBase, to: "minilm")
    #expect(try await kind.open(temporary.home).setting(.defaultBase) == "minilm")
    try await registry.set(.defaultBase, to: nil)
    #expect(try await registry.setting(.defaultBase) == nil)
  }

  /// Two registries on one home are what a server and a command line are.
  @Test(arguments: RegistryStoreKind.all) func whatAnotherProcessChangesIsSeenAtOnce(
    kind: RegistryStoreKind
  ) async throws {
    let server = try kind.open(temporary.home)
    let other = try kind.open(temporary.home)
    #expect(try await server.find("a") == nil)
    try await other.create(vbert: "a", spec: .embedder)
    let first = try #require(try await server.find("a"))
    try await other.delete(vbert: "a")
    #expect(try await server.find("a") == nil)
    try await other.create(vbert: "a", spec: .embedder)
    let second = try #require(try await server.find("a"))
    #expect(second.id != first.id)
    let key = try await other.createTenant("acme")
    #expect(try await server.holder(ofKey: key)?.tenant.name == "acme")
    try await other.deleteTenant("acme")
    #expect(try await server.holder(ofKey: key) == nil)
  }

  @Test(arguments: RegistryStoreKind.all)
  func theFirstKeyClosesTheHome(kind: RegistryStoreKind) async throws {
    let (registry, other) = (try kind.open(temporary.home), try kind.open(temporary.home))
    #expect(try await !registry.isClosed())
    _ = try await other.createTenant("acme")
    #expect(try await registry.isClosed())
    // The last key goes, and it stays closed.
    try await other.deleteTenant("acme")
    #expect(try await registry.isClosed())
    try await other.set(isClosed: false)
    #expect(try await !registry.isClosed())
    try await other.set(isClosed: true)
    #expect(try await registry.isClosed())
  }

  @Test(arguments: RegistryStoreKind.all)
  func basesAreInUseByTheirVBERTs(kind: RegistryStoreKind) async throws {
    let registry = try kind.open(temporary.home)
    #expect(try await registry.basesInUse().isEmpty)
    for (name, base): (VBertName, String) in [("a", "two"), ("b", "one"), ("c", "two")] {
      try await registry.create(
        vbert: name,
        spec: VBertSpec(task: .embed, base: base, baseHash: "abc", adapter: .none, labels: []))
    }
    #expect(try await registry.basesInUse() == ["one", "two"])
    #expect(try await registry.firstVBert(onBase: "two") == "a")
    #expect(try await registry.firstVBert(onBase: "three") == nil)
    try await registry.delete(vbert: "b")
    #expect(try await registry.basesInUse() == ["two"])
    try await registry.checkSoundness()
  }

  /// What a look-up of another process must forget, and nothing else.
  @Test(arguments: RegistryStoreKind.all)
  func changesAreTold(kind: RegistryStoreKind) async throws {
    let (registry, other) = (try kind.open(temporary.home), try kind.open(temporary.home))
    var last = try await registry.changes(since: 0).last
    func expect(
      _ vberts: Set<VBertName>, tenants: Bool = false, _ change: () async throws -> Void
    ) async throws {
      try await change()
      let told = try await registry.changes(since: last)
      #expect(told.vberts == vberts && told.tenants == tenants && told.isComplete)
      #expect(told.last > last)
      last = told.last
      #expect(try await registry.changes(since: last) == RegistryChanges(last: last))
    }
    try await expect(["a"]) { try await other.create(vbert: "a", spec: .embedder) }
    try await expect(["a", "b"]) {
      try await registry.create(vbert: "b", spec: .embedder)
      try await other.rollback(vbert: "a", to: 1)
    }
    try await expect([], tenants: true) { _ = try await other.createTenant("acme") }
    try await expect(["acme/c"], tenants: true) {
      try await other.create(vbert: "acme/c", spec: .embedder)
      try await other.deleteTenant("acme", vberts: true)
    }
    try await expect([], tenants: true) { try await other.set(isClosed: false) }
    try await expect(["a"]) { try await other.delete(vbert: "a") }
  }
}
