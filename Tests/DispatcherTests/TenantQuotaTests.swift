import Foundation
import HTTPTypes
import Manager
import Model
import ServingSupport
import Testing

@testable import Dispatcher

/// A tenant's limits, as its clients meet them.
@Suite(.timeLimit(.minutes(2))) struct TenantQuotaTests {
  private func world() async throws -> (TinyServer, key: String, ops: String) {
    let home = try TinyHome()
    let spec = TinyModel.spec(.classify, TinyHome.bottleneck, labels: ["x", "y"])
    let key = try await home.registry.createTenant("acme")
    try home.add("acme/mood", spec)
    let ops = try home.registry.createKey("ops", tenant: "default", scopes: .admin).secret
    return (try await TinyServer(home: home), key, ops)
  }

  private static let ask = #"{"model": "mood", "inputs": "a cat ran over the dog"}"#

  @Test func tokensAreBoundedAndTold() async throws {
    let (server, key, ops) = try await world()
    try await server.test { client in
      let free = try await client.post("/predict", Self.ask, key: key)
      #expect(free.status == 200 && free.header("x-ratelimit-limit-tokens") == nil)
      let set = try await client.send(
        .put, "/v1/tenants/acme/quota", Array(#"{"tokens_per_second": 0.001, "burst": 20}"#.utf8),
        key: ops)
      #expect(set.status == 200, "\(set.text)")
      let tokens = try #require(free.header("x-compute-tokens").flatMap { Int($0) })
      var left = 20
      while left >= tokens {
        let answer = try await client.post("/predict", Self.ask, key: key)
        #expect(answer.status == 200)
        left -= tokens
        #expect(answer.header("x-ratelimit-limit-tokens") == "20")
        let said = try #require(answer.header("x-ratelimit-remaining-tokens").flatMap { Int($0) })
        #expect(said == left)
      }
      let over = try await client.post("/predict", Self.ask, key: key)
      #expect(over.status == 429 && over.text.contains("limit of tokens_per_second"))
      let wait = try #require(over.header("retry-after").flatMap { Int($0) })
      #expect((1...1000 * tokens).contains(wait))
      #expect(over.header("x-ratelimit-reset-tokens")?.hasSuffix("s") == true)
      // What computes nothing costs nothing, and nobody else pays.
      #expect(try await client.get("/v1/models", key: key).status == 200)
      let operators = #"{"model": "acme/mood", "inputs": "a cat"}"#
      #expect(try await client.post("/predict", operators, key: ops).status == 200)
      // Taken away, it is gone.
      _ = try await client.send(.put, "/v1/tenants/acme/quota", Array("{}".utf8), key: ops)
      #expect(try await client.post("/predict", Self.ask, key: key).status == 200)
    }
  }

  @Test func vBERTsAndBytesAreBounded() async throws {
    let (server, _, ops) = try await world()
    let (registry, store) = (server.home.registry, server.home.store)
    let spec = TinyModel.spec(.classify, TinyHome.bottleneck, labels: ["x", "y"])
    let used = try #require(try registry.versions(of: "acme/mood")[0].blob?.byteCount)
    try await server.test { client in
      func limit(_ body: String) async throws {
        let set = try await client.send(
          .put, "/v1/tenants/acme/quota", Array(body.utf8), key: ops)
        #expect(set.status == 200, "\(set.text)")
      }
      try await limit(#"{"vberts": 1}"#)
      await #expect(throws: RegistryError.self) {
        try await registry.create(vbert: "acme/two", spec: spec)
      }
      try await limit(#"{"vberts": 2, "bytes": \#(2 * used)}"#)
      try await registry.create(vbert: "acme/two", spec: spec)
      func publish() async throws {
        try await store.publish(
          try TinyModel.adapter(spec, seed: 3), as: registry.vbert("acme/mood"), spec: spec,
          base: TinyModel.configuration)
      }
      try await publish()
      do {
        try await publish()
        Issue.record("more than there is room for")
      } catch { #expect("\(error)".contains("stored bytes up to"), "\(error)") }
      #expect(try registry.versions(of: "acme/mood").count == 2)
      for body in [
        #"{"burst": 5}"#, #"{"requests": 0}"#, #"{"tokens_per_second": -1}"#, #"{"bytes": 1.5}"#,
        #"{"weight": 1000}"#, #"{"speed": 1}"#, #"{"vberts": -1}"#,
      ] {
        let answer = try await client.send(
          .put, "/v1/tenants/acme/quota", Array(body.utf8), key: ops)
        #expect(answer.status == 400, "\(body)")
      }
    }
  }

  /// What is under way is counted from its beginning to its end, however it ends.
  @Test func requestsUnderWayAreCounted() async throws {
    let (server, key, ops) = try await world()
    try await server.test { client in
      let set = Array(#"{"requests": 3}"#.utf8)
      _ = try await client.send(.put, "/v1/tenants/acme/quota", set, key: ops)
      for _ in 0..<20 {
        _ = try await client.post("/predict", Self.ask, key: key)
        _ = try await client.post("/predict", "{", key: key)
        _ = try await client.post("/predict", #"{"model": "nothing", "inputs": "a"}"#, key: key)
      }
      let last = try await client.post("/predict", Self.ask, key: key)
      #expect(last.header("x-ratelimit-remaining-requests") == "2", "the last one itself")
      let ask = Self.ask
      let answers = try await withThrowingTaskGroup(of: Client.Answer.self) { group in
        for _ in 0..<60 { group.addTask { try await client.post("/predict", ask, key: key) } }
        return try await group.reduce(into: [Client.Answer]()) { $0.append($1) }
      }
      let refused = answers.filter { $0.status == 429 }
      #expect(answers.allSatisfy { [200, 429].contains($0.status) } && refused.count < 60)
      #expect(refused.allSatisfy { $0.text.contains("limit of requests") })
      #expect(try await client.post("/predict", Self.ask, key: key).status == 200)
    }
  }
}
