import Foundation
import Hummingbird
import TestSupport
import Testing

@testable import Dispatcher

/// Bodies that come as gzip: what comes out counts as if it had been sent.
@Suite(.timeLimit(.minutes(3))) struct PackedBodyTests {
  private static let body = Array(#"{"model": "topic", "inputs": "a cat"}"#.utf8)
  private static let gzip = ["Content-Encoding": "gzip"]

  @Test func theAnswerIsThatOfTheBodyItself() async throws {
    try await TinyServer().test { client in
      let plain = try await client.send(.post, "/predict", Self.body)
      let half = Self.body.count / 2
      for (packed, coding) in [
        (HandmadeGzip.stored(Self.body), "gzip"), (HandmadeGzip.stored(Self.body), "x-gzip"),
        (HandmadeGzip.stored(Self.body), "GZIP"), (Self.body, "identity"),
        (
          HandmadeGzip.stored(Array(Self.body[..<half]))
            + HandmadeGzip.stored(Array(Self.body[half...])), "gzip"
        ),
        (HandmadeGzip.mebibyteOfSpaces + HandmadeGzip.stored(Self.body), "gzip"),
      ] {
        let answer = try await client.send(.post, "/predict", packed, ["Content-Encoding": coding])
        #expect(answer.status == 200 && answer.text == plain.text, "\(answer.text)")
      }
    }
  }

  @Test func whatIsNoGzipIsRefused() async throws {
    try await TinyServer().test { client in
      let good = HandmadeGzip.stored(Self.body)
      for bad in [Self.body, Array(good.dropLast()), good + [7], [], Array(good.dropLast(9)) + [0]]
      {
        let answer = try await client.send(.post, "/predict", bad, Self.gzip)
        #expect(answer.status == 400 && answer.text.contains("gzip stream"), "\(answer.text)")
      }
      for coding in ["br", "deflate", "gzip, gzip", "zstd", ""] {
        let answer = try await client.send(.post, "/predict", good, ["Content-Encoding": coding])
        #expect(answer.status == 415 && answer.header("accept-encoding") == "gzip", "\(coding)")
        #expect(answer.text.contains("or as gzip"))
      }
    }
  }

  /// A MB that would be a GB is refused when it has come to the bound, and nothing of it stays held.
  @Test func aBombIsRefusedEarly() async throws {
    var limits = ServerLimits()
    limits.bodyBytes = 2 << 20
    let server = try await TinyServer(limits: limits)
    try await server.test { client in
      let bomb = (0..<1000).flatMap { _ in HandmadeGzip.mebibyteOfSpaces }
      let answer = try await client.send(.post, "/predict", bomb, Self.gzip)
      #expect(answer.status == 413 && answer.text.contains("more than 2097152 bytes"))
      #expect(server.dispatcher.memory.held == 0)
      let fits = HandmadeGzip.mebibyteOfSpaces + HandmadeGzip.stored(Self.body)
      #expect(try await client.send(.post, "/predict", fits, Self.gzip).status == 200)
    }
  }

  /// The memory for bodies counts what comes out.
  @Test func itIsHeldLikeABody() async throws {
    var limits = ServerLimits()
    limits.bodyMemory = 1 << 20
    try await TinyServer(limits: limits).test { client in
      let packed = HandmadeGzip.mebibyteOfSpaces + HandmadeGzip.stored(Self.body)
      let answer = try await client.send(.post, "/predict", packed, Self.gzip)
      #expect(answer.status == 429 && answer.text.contains("--body-memory"))
    }
  }
}
