import Foundation
import HTTPTypes
import Manager
import Model
import ServingSupport
import Testing

@testable import Dispatcher

/// Who sees what, with which key.
@Suite(.timeLimit(.minutes(2))) struct AccountTests {
  @Test func tenantsSeeTheirOwn() async throws {
    let home = try TinyHome()
    try home.addAll()
    let server = try await TinyServer(home: home)
    try await server.test { client in
      let ask = #"{"model": "topic", "inputs": "a cat"}"#
      #expect(try await client.post("/predict", ask).status == 200)

      // The first key closes the server to everybody without one.
      let alice = try await home.registry.createTenant("alice")
      let bob = try await home.registry.createTenant("bob")
      let spec = TinyModel.spec(.classify, TinyHome.bottleneck, labels: ["x", "y"])
      try home.add("alice/of-alice", spec)
      let none = try await client.post("/predict", ask)
      #expect(none.status == 401 && none.header("www-authenticate") == "Bearer")
      #expect(try await client.post("/predict", ask, key: "vb_wrong").status == 401)
      #expect(try await client.post("/classify", ask).status == 401)
      #expect(try await client.get("/v1/models").status == 401)
      #expect(try await client.get("/health").status == 200)

      let hers = #"{"model": "of-alice", "inputs": "a cat"}"#
      #expect(try await client.post("/predict", hers, key: alice).status == 200)
      #expect(try await client.post("/predict", hers, key: bob).status == 404)
      #expect(try await client.post("/predict", ask, key: alice).status == 404)
      #expect(try await client.get("/v1/models/of-alice", key: bob).status == 404)
      let list = try await client.get("/v1/models", key: alice)
      #expect((list.object["data"] as? [Any])?.count == 1)

      // A name is its tenant's: hers, his of the same name, and what neither has.
      try home.add("bob/of-alice", spec, seed: 2)
      let his = try await client.post("/predict", hers, key: bob)
      #expect(his.status == 200)
      #expect(try await client.post("/predict", hers, key: alice).text != his.text)
      let full = #"{"model": "alice/of-alice", "inputs": "a cat"}"#
      #expect(try await client.post("/predict", full, key: alice).status == 200)
      let foreign = try await client.post("/predict", full, key: bob)
      let nobodys = try await client.post(
        "/predict", full.replacing("/of-alice", with: "/nothing"), key: bob)
      #expect(foreign.status == 404 && nobodys.status == 404)
      #expect(foreign.text.replacing("of-alice", with: "nothing") == nobodys.text)
      #expect(try await client.get("/v1/models/alice%2Fof-alice", key: alice).status == 200)
      #expect(try await client.get("/v1/models/alice%2Fof-alice", key: bob).status == 404)

      try home.registry.deleteTenant("bob", vberts: true)
      #expect(try await client.get("/v1/models", key: bob).status == 401)
    }
  }

  /// A key of the operator reaches all tenants'; one that has expired, or may not do what is asked, nothing.
  @Test func keysAllowWhatTheySay() async throws {
    let home = try TinyHome()
    try home.addAll()
    let spec = TinyModel.spec(.classify, TinyHome.bottleneck, labels: ["x", "y"])
    _ = try await home.registry.createTenant("alice")
    try home.add("alice/hers", spec)
    func key(_ label: Name, _ tenant: Name, _ scopes: Scopes, _ life: Double? = nil) throws
      -> String
    {
      try home.registry.createKey(
        label, tenant: tenant, scopes: scopes, expires: life.map { Date.now + $0 }
      ).secret
    }
    let operators = try key("ops", "default", .admin)
    let own = try key("own", "default", .standard)
    let training = try key("jobs", "alice", Scopes("train"))
    let over = try key("over", "alice", .standard, -1)
    let brief = try key("brief", "alice", .standard, 3600)
    let server = try await TinyServer(home: home)
    try await server.test { client in
      func ask(_ model: String, _ key: String) async throws -> Client.Answer {
        try await client.post(
          "/predict", #"{"model": "\#(model)", "inputs": "a cat"}"#, key: key)
      }
      #expect(try await ask("alice/hers", operators).status == 200)
      #expect(try await ask("topic", operators).status == 200)
      let theirs = try await client.get("/v1/models/alice%2Fhers", key: operators).object
      #expect(theirs["id"] as? String == "alice/hers" && theirs["owned_by"] as? String == "alice")
      #expect(try await ask("alice/nothing", operators).status == 404)
      #expect(try await ask("topic", own).status == 200)
      #expect(try await ask("alice/hers", own).status == 404)
      #expect(try await ask("hers", brief).status == 200)
      let forbidden = try await ask("hers", training)
      #expect(forbidden.status == 403)
      #expect(forbidden.text.contains("jobs may train; this needs predict"))
      let expired = try await ask("hers", over)
      #expect(expired.status == 401 && expired.text.contains("has expired"))
      #expect(expired.header("www-authenticate") == "Bearer")

      // What is revoked is nobody's from the next request on.
      try home.registry.revokeKey("brief", tenant: "alice")
      #expect(try await ask("hers", brief).status == 401)
      func allUsed() throws -> Bool {
        try home.registry.keys(of: "default", after: nil, limit: 99).allSatisfy { $0.used != nil }
      }
      for _ in 0..<200 {
        if try allUsed() { break }
        try await Task.sleep(for: .milliseconds(10))
      }
      #expect(try allUsed())

      // Fields in which some clients send a key bare; Authorization goes before them.
      let body = Array(#"{"model": "topic", "inputs": "a cat"}"#.utf8)
      for field in ["api-key", "X-API-Key"] {
        #expect(try await client.send(.post, "/predict", body, [field: own]).status == 200)
        #expect(try await client.send(.post, "/predict", body, [field: "vb_no"]).status == 401)
        let both = try await client.send(
          .post, "/predict", body, [field: own, "authorization": "Bearer vb_no"])
        #expect(both.status == 401)
      }
    }
  }

  /// `name@n` asks version n, whatever answers now; one that is not there is an error.
  @Test func aVersionIsAskedByItsNumber() async throws {
    let home = try TinyHome()
    let spec = TinyModel.spec(.classify, TinyHome.bottleneck, labels: ["x", "y"])
    try home.add("mood", spec, seed: 1)
    let server = try await TinyServer(home: home)
    try await server.test { client in
      func ask(_ name: String) async throws -> Client.Answer {
        try await client.post("/predict", #"{"model": "\#(name)", "inputs": "a cat"}"#)
      }
      let first = try await ask("mood").text
      try await home.store.publish(
        try TinyModel.adapter(spec, seed: 2), as: home.registry.vbert("mood"), spec: spec,
        base: TinyModel.configuration)
      let second = try await ask("mood").text
      #expect(first != second)
      #expect(try await ask("mood@1").text == first)
      #expect(try await ask("mood@2").text == second)
      try home.registry.rollback(vbert: "mood", to: 1)
      #expect(try await ask("mood").text == first)
      #expect(try await ask("mood@2").text == second)
      for name in ["mood@3", "mood@0", "mood@", "mood@1x", "other@1"] {
        #expect(try await ask(name).status == 404, "\(name)")
      }
      let body = #"{"model": "mood@2", "input": "a cat"}"#
      let answer = try await client.post("/classify", body)
      #expect(answer.object["model"] as? String == "mood@2")
    }
  }
}
