import Foundation
import HTTPTypes
import Testing

@testable import Dispatcher

/// Pages in a browser: whom answers allow to be read by, errors and questions before the question included.
@Suite(.timeLimit(.minutes(3))) struct CrossOriginTests {
  private static func server(_ origins: [String]) async throws -> TinyServer {
    var limits = ServerLimits()
    limits.corsOrigins = origins
    return try await TinyServer(limits: limits)
  }

  private static let asked: [String: String] = [
    "Origin": "https://a.example", "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization,content-type,x-stainless-os",
  ]

  @Test func nobodyIsAllowedUnlessSomebodyIs() async throws {
    try await Self.server([]).test { client in
      for method in [HTTPRequest.Method.options, .post] {
        let answer = try await client.send(method, "/embed", nil, Self.asked)
        for name in ["access-control-allow-origin", "access-control-allow-methods", "vary"] {
          #expect(answer.header(name) == nil, "\(method) \(name)")
        }
      }
    }
  }

  @Test func aBrowserAsksBefore() async throws {
    try await Self.server(["https://a.example", "http://localhost:3000"]).test { client in
      for path in ["/embed", "/v1/embeddings", "/m/meaning/v1/embeddings", "/m/meaning"] {
        let answer = try await client.send(.options, path, nil, Self.asked)
        #expect(answer.status == 204, "\(path)")
        #expect(answer.header("access-control-allow-origin") == "https://a.example")
        #expect(answer.header("access-control-allow-methods") == "POST, OPTIONS")
        #expect(
          answer.header("access-control-allow-headers")
            == "authorization,content-type,x-stainless-os")
        #expect(answer.header("access-control-max-age") == "600")
        #expect(answer.header("vary") == "Origin")
      }
      var other = Self.asked
      other["Origin"] = "https://b.example"
      let refused = try await client.send(.options, "/embed", nil, other)
      #expect(refused.header("access-control-allow-origin") == nil)
      #expect(refused.header("vary") == "Origin")
    }
  }

  @Test func everyAnswerSaysIt() async throws {
    try await Self.server(["https://a.example"]).test { client in
      let good = Array(#"{"model": "meaning", "inputs": "a"}"#.utf8)
      for (method, path, body, status) in [
        (HTTPRequest.Method.post, "/embed", good, 200), (.post, "/embed", [], 400),
        (.get, "/embed", [], 405), (.get, "/nothing", [], 404), (.get, "/v1/models", [], 200),
        (.get, "/health", [], 200), (.head, "/info", [], 200),
        (.post, "/m/nobody", good, 404),
      ] {
        let answer = try await client.send(method, path, body, ["Origin": "https://a.example"])
        #expect(answer.status == status, "\(path)")
        #expect(answer.header("access-control-allow-origin") == "https://a.example", "\(path)")
        #expect(answer.header("access-control-expose-headers") == "*", "\(path)")
        let other = try await client.send(method, path, body, ["Origin": "https://A.example"])
        #expect(other.status == status && other.header("access-control-allow-origin") == nil)
      }
      #expect(try await client.get("/health").header("vary") == "Origin")
    }
    try await Self.server(["*"]).test { client in
      let answer = try await client.send(.get, "/health", nil, ["Origin": "null"])
      #expect(answer.header("access-control-allow-origin") == "*" && answer.header("vary") == nil)
      #expect(try await client.get("/health").header("access-control-allow-origin") == nil)
    }
  }
}
