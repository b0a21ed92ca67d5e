import Foundation
import Testing

/// What `/health` says of a running server whose disk loses things.
@Suite struct HealthTests {
  @Test func allParametersMissingAndBack() async throws {
    let world = try TinyWorld()
    let vbert = world.vbert
    defer { vbert.removeHome() }
    try world.train("topic", task: "classify", rows: TinyData.classify)
    let server = try await Server(vbert)
    let body: [String: Any] = ["adapter_id": "topic", "inputs": "the blue cat sleeps"]
    #expect(try await server.post("/predict", body).status == 200)

    let adapters = vbert.home.appending(path: "adapters")
    let away = vbert.home.appending(path: "away")
    try FileManager.default.moveItem(at: adapters, to: away)
    var reply = try await server.get("/health")
    for _ in 0..<300 where reply.status == 200 {
      try await Task.sleep(for: .milliseconds(100))
      reply = try await server.get("/health")
    }
    #expect(reply.status == 503)
    #expect(String(decoding: reply.body, as: UTF8.self).contains("missing"))
    let page = try await server.get("/metrics")
    let metrics = String(decoding: page.body, as: UTF8.self)
    #expect(metrics.contains("vbert_healthy 0\n"))
    #expect(metrics.contains(#"vbert_failures_total{stage="probe"}"#))

    try FileManager.default.moveItem(at: away, to: adapters)
    for _ in 0..<300 where reply.status != 200 {
      try await Task.sleep(for: .milliseconds(100))
      reply = try await server.get("/health")
    }
    #expect(reply.status == 200)
    #expect(server.stop() == 0)
  }
}
