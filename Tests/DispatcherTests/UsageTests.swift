import Foundation
import Manager
import Model
import ServingSupport
import Testing

@testable import Dispatcher

/// What one bills by.
@Suite(.timeLimit(.minutes(2))) struct UsageTests {
  @Test func everyRequestAndTokenIsCounted() async throws {
    let home = try TinyHome()
    try home.addAll()
    let spec = TinyModel.spec(.classify, TinyHome.bottleneck, labels: ["x", "y"])
    let alice = try await home.registry.createTenant("alice")
    try home.add("alice/mood", spec)
    let ops = try home.registry.createKey("ops", tenant: "default", scopes: .admin).secret
    let server = try await TinyServer(home: home)
    try await server.test { client in
      var (requests, tokens) = (0, 0)
      for body in [
        #"{"model": "mood", "inputs": ["a cat", "the dog ran"]}"#,
        #"{"model": "mood", "inputs": "a cat"}"#,
        #"{"model": "none", "inputs": "a cat"}"#, "{",
      ] {
        let answer = try await client.post("/predict", body, key: alice)
        requests += 1
        tokens += answer.header("x-compute-tokens").flatMap { Int($0) } ?? 0
      }
      #expect(tokens > 8)
      // What nobody is known to ask is nobody's.
      _ = try await client.post("/predict", "{}", key: "vb_none")
      _ = try await client.get("/health")
      let own = try await client.get("/v1/usage", key: alice)
      let data = own.object["data"] as? [[String: Any]] ?? []
      #expect(data.count == 1)
      #expect(data.first?["requests"] as? Int == requests)
      #expect(data.first?["tokens"] as? Int == tokens)
      #expect(data.first?["tenant"] as? String == "alice")
      // The question itself counts from then on; the operator sees all.
      let table = try await client.get("/v1/usage?format=csv", key: ops)
      #expect(table.header("content-type")?.hasPrefix("text/csv") == true)
      let lines = table.text.split(separator: "\r\n")
      #expect(lines.first == "date,tenant,requests,tokens,training_rows")
      #expect(lines.contains { $0.hasSuffix(",alice,\(requests + 1),\(tokens),0") })
      #expect(try await client.get("/v1/usage?tenant=default", key: alice).status == 404)
      #expect(try await client.get("/v1/usage?from=2026-02-31", key: alice).status == 400)
      for query in ["from=yesterday", "from=2026-12-02&to=2026-12-01", "format=xml"] {
        #expect(try await client.get("/v1/usage?\(query)", key: alice).status == 400, "\(query)")
      }
      let past = try await client.get("/v1/usage?from=2020-01-01&to=2020-02-01", key: ops)
      #expect((past.object["data"] as? [Any])?.isEmpty == true)
      // It outlives its tenant.
      try home.registry.deleteTenant("alice", vberts: true)
      #expect(try await client.get("/v1/usage", key: ops).text.contains("alice"))
    }
  }
}
