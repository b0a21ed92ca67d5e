import Foundation
import HTTPTypes
import Manager
import Model
import ServingSupport
import Testing

@testable import Dispatcher

/// Keys, tenants and vBERTs over HTTP.
@Suite(.timeLimit(.minutes(2))) struct ManagementTests {
  /// A server of two tenants and an operator; `keys` by what they are called here.
  private struct World {
    let home: TinyHome
    let server: TinyServer
    var keys: [String: String] = [:]

    init() async throws {
      home = try TinyHome()
      try home.addAll()
      let spec = TinyModel.spec(.classify, TinyHome.bottleneck, labels: ["x", "y"])
      for tenant: Name in ["alice", "bob"] {
        keys[tenant.text] = try await home.registry.createTenant(tenant)
        try home.add(VBertName("mood", of: tenant), spec, seed: tenant == "alice" ? 1 : 2)
      }
      let made: [(String, Name, Scopes)] = [
        ("ops", "default", .admin), ("ask", "alice", try Scopes("predict")),
        ("manage", "alice", try Scopes("manage")),
      ]
      for (label, tenant, scopes) in made {
        keys[label] = try home.registry.createKey(
          Name(label), tenant: tenant, scopes: scopes
        ).secret
      }
      server = try await TinyServer(home: home)
    }
  }

  @Test func keysAreMadeListedRotatedAndRevoked() async throws {
    let world = try await World()
    try await world.server.test { client in
      let alice = world.keys["alice"]
      let made = try await client.post(
        "/v1/keys", #"{"label": "web", "scopes": ["predict"], "expires_in": 3600}"#, key: alice)
      #expect(made.status == 200, "\(made.text)")
      let secret = try #require(made.object["key"] as? String)
      #expect(made.object["scopes"] as? [String] == ["predict"])
      let end = try #require(made.object["expires_at"] as? Int)
      #expect(abs(Double(end) - Date.now.timeIntervalSince1970 - 3600) < 60)
      let ask = #"{"model": "mood", "inputs": "a cat"}"#
      #expect(try await client.post("/predict", ask, key: secret).status == 200)
      #expect(try await client.get("/v1/keys", key: secret).status == 403)

      let list = try await client.get("/v1/keys", key: alice)
      let data = list.object["data"] as? [[String: Any]] ?? []
      #expect(data.compactMap { $0["id"] as? String } == ["ask", "first", "manage", "web"])
      #expect(!list.text.contains("vb_"), "no secret is told twice")

      let rotated = try await client.post("/v1/keys/web/rotate", #"{"keep_old": 0}"#, key: alice)
      let fresh = try #require(rotated.object["key"] as? String)
      #expect(try await client.post("/predict", ask, key: fresh).status == 200)
      #expect(try await client.post("/predict", ask, key: secret).status == 401)
      let kept = try await client.post("/v1/keys/web/rotate", "", key: alice)
      #expect(kept.status == 200)
      #expect(try await client.post("/predict", ask, key: fresh).status == 200)

      #expect(try await client.send(.delete, "/v1/keys/web", key: alice).status == 200)
      let last = try #require(kept.object["key"] as? String)
      #expect(try await client.post("/predict", ask, key: last).status == 401)
      #expect(try await client.send(.delete, "/v1/keys/web", key: alice).status == 404)
      #expect(
        try await client.post("/v1/keys", #"{"label": "first"}"#, key: alice).status == 409)
    }
  }

  /// Nobody gives, or takes over, what he has not.
  @Test func noKeyMakesItselfMore() async throws {
    let world = try await World()
    let boss = try world.home.registry.createKey("boss", tenant: "alice", scopes: .admin)
    try await world.server.test { client in
      let manage = world.keys["manage"]
      for scopes in [#"["admin"]"#, #"["manage", "predict"]"#, #"["train"]"#] {
        let answer = try await client.post(
          "/v1/keys", #"{"label": "more", "scopes": \#(scopes)}"#, key: manage)
        #expect(answer.status == 403, "\(scopes)")
      }
      // Not by leaving scopes out either.
      #expect(try await client.post("/v1/keys", #"{"label": "more"}"#, key: manage).status == 403)
      for body in [#"{"label": "same", "scopes": ["manage"]}"#] {
        #expect(try await client.post("/v1/keys", body, key: manage).status == 200)
      }
      #expect(try await client.post("/v1/keys/boss/rotate", "{}", key: manage).status == 403)
      #expect(try await client.send(.delete, "/v1/keys/boss", key: manage).status == 403)
      #expect(try await client.send(.delete, "/v1/keys/ask", key: manage).status == 403)
      #expect(try world.home.registry.holder(ofKey: boss.secret) != nil)
      // Other tenants' keys do not exist, in the words of a tenant that does not.
      let foreign = try await client.get("/v1/keys?tenant=bob", key: manage)
      let nobody = try await client.get("/v1/keys?tenant=rob", key: manage)
      #expect(foreign.status == 404 && nobody.status == 404)
      #expect(foreign.text.replacing("bob", with: "rob") == nobody.text)
      let given = try await client.post(
        "/v1/keys", #"{"label": "x", "tenant": "bob"}"#, key: world.keys["alice"])
      #expect(given.status == 404)
      #expect(try await client.get("/v1/keys?tenant=bob", key: world.keys["ops"]).status == 200)
      #expect(try await client.get("/v1/keys?tenant=rob", key: world.keys["ops"]).status == 404)
    }
  }

  @Test func tenantsAreTheOperators() async throws {
    let world = try await World()
    try await world.server.test { client in
      let (ops, alice) = (world.keys["ops"], world.keys["alice"])
      #expect(try await client.get("/v1/tenants", key: alice).status == 403)
      #expect(try await client.post("/v1/tenants", #"{"name": "carl"}"#, key: alice).status == 403)
      let made = try await client.post(
        "/v1/tenants", #"{"name": "carl", "weight": 2.5}"#, key: ops)
      #expect(made.object["weight"] as? Double == 2.5)
      let key = try #require(made.object["key"] as? String)
      #expect(try await client.get("/v1/models", key: key).status == 200)
      let list = try await client.get("/v1/tenants", key: ops)
      let data = list.object["data"] as? [[String: Any]] ?? []
      #expect(data.compactMap { $0["id"] as? String } == ["alice", "bob", "carl", "default"])
      #expect(try await client.get("/v1/tenants/alice", key: alice).status == 200)
      #expect(try await client.get("/v1/tenants/bob", key: alice).status == 404)

      #expect(try await client.send(.delete, "/v1/tenants/bob", key: ops).status == 409)
      #expect(
        try await client.send(.delete, "/v1/tenants/bob?vberts=perhaps", key: ops).status == 400)
      #expect(
        try await client.send(.delete, "/v1/tenants/bob?vberts=true", key: ops).status == 200)
      #expect(try await client.get("/v1/models", key: world.keys["bob"]).status == 401)
      #expect(try await client.send(.delete, "/v1/tenants/default", key: ops).status == 409)
      for body in [
        #"{"name": "x", "weight": 0}"#, #"{"name": "a b"}"#, #"{"weight": 1}"#,
        #"{"name": "x", "colour": "red"}"#, "[]", "{", #"{"name": "x", "name": "y"}"#,
      ] {
        #expect(try await client.post("/v1/tenants", body, key: ops).status == 400, "\(body)")
      }
    }
  }

  @Test func vBERTsAreListedGivenAndDeleted() async throws {
    let world = try await World()
    try await world.server.test { client in
      let (ops, alice) = (world.keys["ops"], world.keys["alice"])
      let one = try await client.get("/v1/vberts/mood", key: alice)
      #expect(one.object["tenant"] as? String == "alice" && one.object["version"] as? Int == 1)
      #expect((one.object["versions"] as? [[String: Any]])?.count == 1)
      #expect(one.object["labels"] as? [String] == ["x", "y"])
      let list = try await client.get("/v1/vberts?tenant=default&prefix=t&limit=1", key: ops)
      let data = list.object["data"] as? [[String: Any]] ?? []
      #expect(data.compactMap { $0["id"] as? String } == ["tags"])
      #expect(list.object["has_more"] as? Bool == true)
      #expect(try await client.get("/v1/vberts?tenant=bob", key: alice).status == 404)

      let spec = TinyModel.spec(.classify, TinyHome.bottleneck, labels: ["x", "y"])
      try await world.home.store.publish(
        try TinyModel.adapter(spec, seed: 5), as: world.home.registry.vbert("alice/mood"),
        spec: spec, base: TinyModel.configuration)
      let back = try await client.post(
        "/v1/vberts/mood/rollback", #"{"version": 1}"#, key: alice)
      #expect(back.object["version"] as? Int == 1)
      let none = try await client.post("/v1/vberts/mood/rollback", #"{"version": 9}"#, key: alice)
      #expect(none.status == 404)
      #expect(
        try await client.post("/v1/vberts/mood/give", #"{"tenant": "bob"}"#, key: alice).status
          == 403)
      _ = try await world.home.registry.createTenant("carl")
      let taken = try await client.post(
        "/v1/vberts/alice%2Fmood/give", #"{"tenant": "bob"}"#, key: ops)
      #expect(taken.status == 409)
      let given = try await client.post(
        "/v1/vberts/alice%2Fmood/give", #"{"tenant": "carl"}"#, key: ops)
      #expect(given.object["tenant"] as? String == "carl", "\(given.text)")
      #expect(try await client.get("/v1/vberts/mood", key: alice).status == 404)

      #expect(
        try await client.send(.delete, "/v1/models/mood", key: world.keys["ask"]).status == 403)
      #expect(try await client.send(.delete, "/v1/models/mood", key: alice).status == 404)
      let gone = try await client.send(.delete, "/v1/models/mood", key: world.keys["bob"])
      #expect(
        gone.object["deleted"] as? Bool == true && gone.object["object"] as? String == "model")
      #expect(try await client.get("/v1/vberts/mood", key: world.keys["bob"]).status == 404)
    }
  }

  @Test func changesAreTold() async throws {
    let world = try await World()
    try await world.server.test { client in
      let (ops, alice) = (world.keys["ops"], world.keys["alice"])
      _ = try await client.post("/v1/keys", #"{"label": "web"}"#, key: alice)
      _ = try await client.send(.delete, "/v1/vberts/mood", key: alice)
      let own = try await client.get("/v1/audit?limit=2", key: alice)
      let data = own.object["data"] as? [[String: Any]] ?? []
      #expect(data.compactMap { $0["action"] as? String } == ["vbert.delete", "key.create"])
      #expect(data.allSatisfy { $0["actor"] as? String == "alice/first" })
      #expect(own.object["has_more"] as? Bool == true)
      let all = try await client.get("/v1/audit?limit=1000", key: ops)
      let tenants = (all.object["data"] as? [[String: Any]] ?? []).map { $0["tenant"] as? String }
      #expect(Set(tenants).isSuperset(of: ["alice", "bob", "default"]))
      #expect(try await client.get("/v1/audit?tenant=bob", key: alice).status == 404)
      #expect(try await client.get("/v1/audit", key: world.keys["ask"]).status == 403)
      for query in ["limit=0", "limit=x", "before=0", "before=99999999999999999999"] {
        #expect(try await client.get("/v1/audit?\(query)", key: alice).status == 400, "\(query)")
      }
    }
  }

  /// An open server answers everybody, and changes nothing for anybody.
  @Test func anOpenServerChangesNothing() async throws {
    let server = try await TinyServer()
    try await server.test { client in
      for route in server.dispatcher.routes where route.scope != .predict {
        let path = route.path.replacing("/:vbert", with: "/topic").replacing(
          "/:model", with: "/topic"
        ).replacing("/:tenant", with: "/default").replacing("/:label", with: "/first")
        let answer = try await client.send(route.method, path, Array("{}".utf8))
        #expect(answer.status == 401, "\(route.method) \(path)")
        #expect(answer.text.contains("vbert tenant key add"))
      }
      #expect(try await client.get("/v1/vberts").status == 200)
      #expect(try await client.get("/v1/vberts/topic").status == 200)
    }
  }
}
