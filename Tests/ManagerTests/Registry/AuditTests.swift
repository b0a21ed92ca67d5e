import Foundation
import GRDB
import Model
import Testing

@testable import Manager

@Suite struct AuditTests {
  let temporary = TemporaryHome()

  @Test(arguments: RegistryStoreKind.all) func everyChangeIsWrittenDown(kind: RegistryStoreKind)
    async throws
  {
    let registry = try kind.open(temporary.home)
    #expect(try await registry.audit(of: nil, before: nil, limit: 10).isEmpty)
    _ = try await registry.createTenant("acme")
    let made = try await Actor.$current.withValue(Actor("acme/web")) {
      try await registry.create(vbert: "acme/mood", spec: .embedder)
    }
    let next = NextVersion(vbert: made.id, name: made.name, spec: made.spec, blob: nil)
    _ = try await registry.publish([next])[0].get()
    try await registry.rollback(vbert: "acme/mood", to: 1)
    _ = try await registry.createKey("web", tenant: "acme", scopes: Scopes("predict"), expires: nil)
    _ = try await registry.rotateKey("web", tenant: "acme", oldUntil: .now)
    try await registry.revokeKey("web", tenant: "acme")
    try await registry.set(isClosed: true)
    try await registry.set(isClosed: false)
    try await registry.set(.defaultBase, to: "minilm")
    try await registry.give("acme/mood", to: "default")
    try await registry.delete(vbert: "mood")
    // What is refused has changed nothing.
    await #expect(throws: RegistryError.self) { try await registry.delete(vbert: "mood") }
    try await registry.deleteTenant("acme")

    let all = try await registry.audit(of: nil, before: nil, limit: 100)
    let lines = all.reversed().map {
      "\($0.action) \($0.tenant?.text ?? "-") \($0.object) \($0.detail)"
    }
    #expect(
      lines == [
        "tenant.create acme acme ", "access.closed - access ",
        "key.create acme first predict,train,manage", "vbert.create acme mood embed",
        "vbert.publish acme mood version 2", "vbert.rollback acme mood version 1",
        "key.create acme web predict", "key.rotate acme web the old one is web.2",
        "key.revoke acme web ", "access.open - access ", "setting.set - defaultBase minilm",
        "vbert.give acme mood to default", "vbert.give default mood from acme",
        "vbert.delete default mood ", "key.revoke acme first ", "key.revoke acme web.2 ",
        "tenant.delete acme acme ",
      ])
    #expect(all.filter { $0.actor == "acme/web" }.map(\.action) == ["vbert.create"])
    #expect(all.allSatisfy { abs($0.time.timeIntervalSinceNow) < 60 })
    // Paged, and of one tenant.
    let page = try await registry.audit(of: nil, before: all[4].number, limit: 3)
    #expect(page == Array(all[5..<8]))
    let own = try await registry.audit(of: "default", before: nil, limit: 10)
    #expect(own.map(\.action) == ["vbert.delete", "vbert.give"])
  }

  @Test func whatIsOldGoes() throws {
    let registry = try temporary.registry()
    try DatabaseQueue(path: temporary.home.registry.path()).write { db in
      for number in 1...254 {
        try db.execute(
          sql: """
            INSERT INTO audit (time, actor, action, object, detail) VALUES (?, '', '', ?, '')
            """, arguments: [number < 100 ? 1e9 : Date().timeIntervalSince1970, "\(number)"])
      }
    }
    try registry.create(vbert: "a", spec: .embedder)
    #expect(try registry.audit(limit: 1000).count == 255)
    try registry.create(vbert: "b", spec: .embedder)
    #expect(try registry.audit(limit: 1000).map(\.object).last == "100")
  }
}
