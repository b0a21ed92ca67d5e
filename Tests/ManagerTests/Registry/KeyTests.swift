import Foundation
import Model
import Testing

@testable import Manager

@Suite struct KeyTests {
  let temporary = TemporaryHome()

  @Test(arguments: RegistryStoreKind.all) func aTenantHasSeveralKeys(kind: RegistryStoreKind)
    async throws
  {
    let registry = try kind.open(temporary.home)
    let first = try await registry.createTenant("acme")
    let soon = Date(timeIntervalSince1970: 2e9)
    let web = try await registry.createKey(
      "web", tenant: "acme", scopes: Scopes("predict"), expires: soon)
    #expect(web.record.label == "web" && web.record.tenant == "acme" && web.record.used == nil)
    #expect(web.record.scopes.names == ["predict"] && web.record.expires == soon)
    #expect(web.secret != first && web.secret.hasPrefix("vb_"))
    // Another tenant's keys may be called the same.
    let other = try await registry.createKey("web", tenant: "default", scopes: .admin, expires: nil)
    await #expect(throws: RegistryError.keyExists(label: "web")) {
      try await registry.createKey("web", tenant: "acme", scopes: .standard, expires: nil)
    }
    await #expect(throws: RegistryError.noTenant("nobody")) {
      try await registry.createKey("web", tenant: "nobody", scopes: .standard, expires: nil)
    }
    #expect(try await registry.keys(of: "acme").map(\.label) == ["first", "web"])
    #expect(try await registry.keys(of: nil).map(\.tenant) == ["acme", "acme", "default"])
    #expect(try await registry.holder(ofKey: web.secret)?.key == web.record)
    #expect(try await registry.holder(ofKey: other.secret)?.tenant.name == "default")
    #expect(try await registry.holder(ofKey: first)?.key.scopes == .standard)
    #expect(try await registry.listTenants().map(\.keys) == [2, 1])

    try await registry.revokeKey("web", tenant: "acme")
    #expect(try await registry.holder(ofKey: web.secret) == nil)
    #expect(try await registry.holder(ofKey: other.secret) != nil)
    await #expect(throws: RegistryError.noKey(label: "web")) {
      try await registry.revokeKey("web", tenant: "acme")
    }
    try await registry.revokeKey("first", tenant: "acme")
    try await registry.revokeKey("web", tenant: "default")
    #expect(try await registry.isClosed(), "the last key is gone, and nothing is open")
    try await registry.deleteTenant("acme")
    #expect(try await registry.keys(of: nil).isEmpty)
  }

  /// Whom a key asks must be there, and the tenant's, but for the operator's keys; a rotation keeps it.
  @Test(arguments: RegistryStoreKind.all) func aKeyHasAVBERT(kind: RegistryStoreKind) async throws {
    let registry = try kind.open(temporary.home)
    _ = try await registry.createTenant("acme")
    for name in ["acme/mood", "topic"] as [VBertName] {
      try await registry.create(vbert: name, spec: .embedder)
    }
    func make(_ label: Name, _ vbert: VBertName?, _ scopes: Scopes = .standard) async throws
      -> NewKey
    {
      try await registry.createKey(
        label, tenant: "acme", scopes: scopes, expires: nil, vbert: vbert)
    }
    let web = try await make("web", "acme/mood")
    #expect(web.record.vbert == "acme/mood")
    #expect(try await make("plain", nil).record.vbert == nil)
    #expect(try await make("ops", "topic", .admin).record.vbert == "default/topic")
    await #expect(throws: RegistryError.noVBERT("none")) { try await make("a", "acme/none") }
    // In the same words, whether another tenant has it or not.
    await #expect(throws: RegistryError.noVBERT("default/topic")) { try await make("a", "topic") }
    await #expect(throws: RegistryError.noVBERT("default/none")) { try await make("a", "none") }
    #expect(try await registry.keys(of: "acme").map(\.label) == ["first", "ops", "plain", "web"])

    let new = try await registry.rotateKey("web", tenant: "acme", oldUntil: .distantFuture)
    #expect(new.record.vbert == "acme/mood")
    #expect(try await registry.holder(ofKey: new.secret)?.key.vbert == "acme/mood")
    // A name: what becomes of its vBERT is nothing to the key.
    try await registry.give("acme/mood", to: "default")
    #expect(try await registry.holder(ofKey: web.secret)?.key.vbert == "acme/mood")
    let told = try await registry.audit(of: "acme", before: nil, limit: 10).map(\.detail)
    #expect(told.contains("predict,train,manage, asks acme/mood"))
  }

  @Test(arguments: RegistryStoreKind.all) func aKeyIsRotated(kind: RegistryStoreKind) async throws {
    let registry = try kind.open(temporary.home)
    let long = try Name(String(repeating: "x", count: 128))
    _ = try await registry.createTenant("acme")
    let expires = Date(timeIntervalSince1970: 2_000_000_000)
    for label in ["web", long] {
      let old = try await registry.createKey(
        label, tenant: "acme", scopes: Scopes("predict,train"), expires: expires)
      let end = Date(timeIntervalSince1970: 1_900_000_000)
      let new = try await registry.rotateKey(label, tenant: "acme", oldUntil: end)
      #expect(new.secret != old.secret && new.record.label == label)
      #expect(new.record.scopes == old.record.scopes && new.record.expires == expires)
      let kept = try #require(try await registry.holder(ofKey: old.secret)?.key)
      #expect(kept.expires == end && kept.label != label && kept.id == old.record.id)
      #expect(kept.isExpired(at: end) && !kept.isExpired(at: end - 1))
      #expect(try await registry.holder(ofKey: new.secret)?.key == new.record)
      // Nobody's life is made longer by it.
      _ = try await registry.rotateKey(label, tenant: "acme", oldUntil: expires + 1)
      #expect(try await registry.holder(ofKey: new.secret)?.key.expires == expires)
    }
    await #expect(throws: RegistryError.noKey(label: "none")) {
      try await registry.rotateKey("none", tenant: "acme", oldUntil: .now)
    }
  }

  @Test(arguments: RegistryStoreKind.all) func useIsNoted(kind: RegistryStoreKind) async throws {
    let registry = try kind.open(temporary.home)
    let key = try await registry.createKey("a", tenant: "default", scopes: .standard, expires: nil)
    let time = Date(timeIntervalSince1970: 1_800_000_000)
    try await registry.note(uses: [key.record.id: time, 99: time])
    #expect(try await registry.keys(of: nil).map(\.used) == [time])
  }

  @Test(arguments: RegistryStoreKind.all) func aVBERTIsGiven(kind: RegistryStoreKind) async throws {
    let (registry, other) = (try kind.open(temporary.home), try kind.open(temporary.home))
    _ = try await registry.createTenant("acme")
    let made = try await registry.create(vbert: "mood", spec: .embedder)
    #expect(try await other.find("mood") != nil)
    #expect(try await other.find("acme/mood") == nil)
    try await registry.give("mood", to: "acme")
    #expect(try await other.find("mood") == nil)
    #expect(try await other.find("acme/mood")?.id == made.id)
    #expect(try await other.versions(of: "acme/mood").count == 1)
    // A training that began before still makes its next version, which is seen under the new name.
    let next = NextVersion(vbert: made.id, name: made.name, spec: made.spec, blob: nil)
    #expect(try await registry.publish([next])[0].get().vbert == "acme/mood")
    #expect(try await other.find("acme/mood")?.version?.number == 2)
    try await registry.give("acme/mood", to: "acme")
    try await registry.create(vbert: "mood", spec: .embedder)
    await #expect(throws: RegistryError.vbertExists("mood")) {
      try await registry.give("acme/mood", to: "default")
    }
    await #expect(throws: RegistryError.noTenant("nobody")) {
      try await registry.give("mood", to: "nobody")
    }
    await #expect(throws: RegistryError.noVBERT("none")) {
      try await registry.give("none", to: "acme")
    }
    // Nobody is given more than he may have.
    try await registry.set(
      processor: VirtualProcessor(weight: 1, limits: .init(vberts: 1)), of: "acme")
    try await registry.create(vbert: "tone", spec: .embedder)
    await #expect(throws: RegistryError.overQuota(tenant: "acme", limit: "vBERTs up to", most: 1)) {
      try await registry.give("tone", to: "acme")
    }
  }

  /// What a key may is looked up when its change is made, whatever was seen before.
  @Test(arguments: RegistryStoreKind.all) func aChangeIsItsKeysToMake(kind: RegistryStoreKind)
    async throws
  {
    let registry = try kind.open(temporary.home)
    let soon = Date.now + 3600
    func key(_ label: Name, _ scopes: Scopes, _ end: Date? = nil) async throws -> KeyRecord {
      try await registry.createKey(label, tenant: "default", scopes: scopes, expires: end).record
    }
    let (boss, brief) = (
      try await key("boss", .admin), try await key("brief", Scopes("manage"), soon)
    )
    let manage = try await key("manage", Scopes("manage"))
    func acting<Result: Sendable>(
      _ key: KeyRecord, _ body: () async throws -> Result
    ) async throws -> Result {
      try await Actor.$current.withValue(Actor("default/\(key.label)", key: key.id)) {
        try await body()
      }
    }
    func refused(_ key: KeyRecord, _ body: () async throws -> Void) async throws {
      do {
        try await acting(key, body)
        Issue.record("it was done")
      } catch let error as RegistryError {
        guard case .beyondKey(key.label.text, _, _) = error else { throw error }
      }
    }
    try await refused(manage) {
      _ = try await registry.rotateKey("boss", tenant: "default", oldUntil: .now)
    }
    try await refused(manage) { try await registry.revokeKey("boss", tenant: "default") }
    try await refused(manage) {
      _ = try await registry.createKey("x", tenant: "default", scopes: .standard, expires: nil)
    }
    // Nor does anything last longer than who made it.
    for end in [nil, soon + 1] {
      try await refused(brief) {
        _ = try await registry.createKey(
          "x", tenant: "default", scopes: Scopes("manage"), expires: end)
      }
    }
    try await refused(brief) {
      _ = try await registry.rotateKey("manage", tenant: "default", oldUntil: .now)
    }
    _ = try await acting(brief) {
      try await registry.createKey(
        "x", tenant: "default", scopes: Scopes("manage"), expires: soon - 1)
    }
    _ = try await acting(manage) {
      try await registry.rotateKey("manage", tenant: "default", oldUntil: soon)
    }
    // Revoked or over, a key changes nothing more, whatever it had begun.
    let over = try await key("over", .admin, .now - 1)
    try await registry.revokeKey("x", tenant: "default")
    try await registry.revokeKey("brief", tenant: "default")
    for gone in [over, brief] {
      await #expect(throws: RegistryError.lostKey) {
        try await acting(gone) { _ = try await registry.create(vbert: "v", spec: .embedder) }
      }
    }
    #expect(try await registry.find("v") == nil)
    #expect(try await registry.keys(of: nil).contains { $0.id == boss.id })
    // A label that is in the way of an old key's stands in nobody's way.
    _ = try await key(Name("boss.\(boss.id)"), Scopes("predict"))
    _ = try await registry.rotateKey("boss", tenant: "default", oldUntil: soon)
    let labels = try await registry.keys(of: nil).map(\.label.text)
    #expect(labels.contains("boss.\(boss.id).1") && labels.contains("boss.\(boss.id)"))
  }

  @Test func scopesAreRead() throws {
    let two = try Scopes("train, predict")
    #expect(two.names == ["predict", "train"] && two.description == "predict,train")
    #expect(two.allows(.train) && !two.allows(.manage) && !two.isAdmin)
    #expect(Scopes.admin.allows(.train) && Scopes.admin.allows(.standard))
    #expect(
      Scopes.standard.allows(two) && !two.allows(.standard) && !Scopes.standard.allows(Scopes.admin)
    )
    for text in ["", ",", "predict,", "Predict", "all", "predict;train"] {
      #expect(throws: ScopeError.self, "\(text)") { try Scopes(text) }
    }
  }
}
