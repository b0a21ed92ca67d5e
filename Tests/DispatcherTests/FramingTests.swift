import Foundation
import HTTPTypes
import Manager
import Model
import Testing

@testable import Dispatcher

/// HTTP as its bytes: methods, versions, framing, expectations.
@Suite(.timeLimit(.minutes(3)), .serialized) struct FramingTests {
  private static let body = #"{"model":"topic","inputs":"a cat"}"#

  private static func post(_ fields: String = "", version: String = "1.1") -> String {
    "POST /predict HTTP/\(version)\r\nHost: a\r\n\(fields)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
  }

  /// All that comes until the connection ends; `text` must bring that about.
  private static func ask(_ port: Int, _ text: String) async throws -> String {
    let socket = try Socket(port: port).sending(text)
    return try await onThread { try socket.readAll() }
  }

  /// What follows an answer to HEAD is the next answer.
  @Test func headHasNoBody() async throws {
    try await LiveServer.serve { _, _, port in
      for (path, status) in [
        ("/health", 200), ("/info", 200), ("/metrics", 200), ("/v1/models", 200),
        ("/v1/models/topic", 200), ("/v1/models/none", 404), ("/predict", 405), ("/nothing", 404),
      ] {
        let get = try await Self.ask(
          port, "GET \(path) HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        let head = try await Self.ask(
          port,
          "HEAD \(path) HTTP/1.1\r\nHost: a\r\n\r\n"
            + "HEAD \(path) HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        let answers = head.components(separatedBy: "\r\n\r\n")
        #expect(answers.count == 3 && answers[2].isEmpty, "\(path): \(head)")
        #expect(answers[0].hasPrefix("HTTP/1.1 \(status) "), "\(path): \(head)")
        #expect(answers[1].hasPrefix("HTTP/1.1 \(status) "), "\(path): \(head)")
        guard path != "/metrics", path != "/predict" else { continue }
        let length = get.components(separatedBy: "\r\n\r\n")[1].utf8.count
        #expect(answers[0].lowercased().contains("content-length: \(length)"), "\(path): \(head)")
      }
    }
  }

  /// RFC 9112, 3.2: one Host from HTTP/1.1 on, whatever else is right; none need be before.
  @Test func hostIsAskedFor() async throws {
    try await LiveServer.serve { _, _, port in
      for (start, fields, status) in [
        ("GET /health HTTP/1.1", "Host: a\r\n", 200), ("GET /health HTTP/1.1", "", 400),
        ("GET /health HTTP/1.1", "host: a\r\nHOST: a\r\n", 400),
        ("GET /v1/models HTTP/1.1", "", 400), ("HEAD /health HTTP/1.1", "", 400),
        ("GET /health HTTP/1.0", "", 200), ("GET /health HTTP/1.0", "Host: a\r\n", 200),
        ("GET /health HTTP/1.0", "Host: a\r\nHost: b\r\n", 400),
        ("OPTIONS * HTTP/1.1", "Host: a\r\n", 204), ("OPTIONS * HTTP/1.1", "", 400),
      ] {
        let answer = try await Self.ask(port, "\(start)\r\n\(fields)Connection: close\r\n\r\n")
        #expect(answer.contains(" \(status) "), "\(start) \(fields): \(answer)")
        #expect(answer.contains("one Host") == (status == 400 && !start.hasPrefix("HEAD")))
        #expect(answer.contains("DELETE, GET, HEAD, POST, PUT, OPTIONS") == (status == 204))
      }
    }
  }

  @Test func otherMethodsAreToldWhichThereAre() async throws {
    let server = try await TinyServer()
    try await server.test { client in
      for (method, path, allowed) in [
        ("GET", "/predict", "POST, OPTIONS"), ("PUT", "/embed", "POST, OPTIONS"),
        ("POST", "/health", "GET, HEAD, OPTIONS"),
        ("PUT", "/v1/models/topic", "GET, HEAD, DELETE, OPTIONS"),
        ("DELETE", "/v1/vberts", "GET, HEAD, POST, OPTIONS"),
        ("PATCH", "/v1/embeddings", "POST, OPTIONS"),
        ("OPTIONS", "/v1/models", "GET, HEAD, OPTIONS"), ("GET", "/", "POST, OPTIONS"),
      ] {
        let answer = try await client.send(try #require(.init(method)), path)
        #expect(answer.status == (method == "OPTIONS" ? 204 : 405), "\(method) \(path)")
        #expect(answer.header("allow") == allowed, "\(method) \(path)")
      }
      for path in ["/nothing", "/v1/nothing", "/v1/models/a/b", "/m"] {
        let answer = try await client.send(try #require(.init("GET")), path)
        #expect(answer.status == 404 && answer.header("allow") == nil, "\(path)")
      }
      #expect(try await client.get("/v1/models/%74opic").object["id"] as? String == "topic")
    }
  }

  @Test func brokenFramingIsTheClientsError() async throws {
    try await LiveServer.serve { server, _, port in
      let start = "POST /predict HTTP/1.1\r\nHost: a\r\n"
      for (name, text) in [
        ("bad chunk", start + "Transfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n"),
        ("chunk without end", start + "Transfer-Encoding: chunked\r\n\r\n5\r\nhelloX\r\n0\r\n\r\n"),
        ("gzip", start + "Transfer-Encoding: gzip\r\n\r\nabc"),
        ("both", start + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"),
        ("two lengths", start + "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"),
        ("negative", start + "Content-Length: -5\r\n\r\n"),
        ("huge", start + "Content-Length: 99999999999999999999\r\n\r\n"),
        (
          "gzip in chunks",
          start + "Transfer-Encoding: gzip, chunked\r\nConnection: close\r\n\r\n0\r\n\r\n"
        ),
        (
          "gzip in chunks, apart",
          start
            + "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
            + "0\r\n\r\n"
        ),
        ("no request", "\u{16}\u{03}\u{01}\u{02}\u{00}\r\n\r\n"),
      ] {
        let answer = try await Self.ask(port, text)
        #expect(answer.hasPrefix("HTTP/1.1 400 "), "\(name): \(answer)")
        #expect(answer.lowercased().contains("connection: close"), "\(name): \(answer)")
      }
      let good = try await Self.ask(port, Self.post("Connection: close\r\n"))
      #expect(good.hasPrefix("HTTP/1.1 200 OK"))
      let page = try await Self.ask(
        port, "GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
      #expect(!page.contains("status=\"500\""))
    }
  }

  /// Whether it asks to stay or not; and what has no known length is not in chunks.
  @Test func version10Closes() async throws {
    try await LiveServer.serve { _, _, port in
      for fields in ["", "Connection: keep-alive\r\n"] {
        let answer = try await Self.ask(port, Self.post(fields, version: "1.0"))
        #expect(answer.hasPrefix("HTTP/1.0 200 OK"), "\(answer)")
        #expect(answer.lowercased().contains("connection: close"))
      }
      let texts = Array(repeating: #"["a cat"]"#, count: 100).joined(separator: ",")
      let body = #"{"model":"topic","inputs":[\#(texts)]}"#
      let many = try await Self.ask(
        port, "POST /predict HTTP/1.0\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
      #expect(!many.lowercased().contains("transfer-encoding"))
      let parts = many.components(separatedBy: "\r\n\r\n")
      let list = try JSONSerialization.jsonObject(with: Data(parts.last?.utf8 ?? "".utf8))
      #expect((list as? [Any])?.count == 100)
    }
  }

  /// Who asks for another protocol, as many clients do with their first request, is not left waiting with
  /// the next one: nothing is read behind it, so that the connection ends with the answer, which says so.
  @Test func theLastRequestOfAConnectionEndsIt() async throws {
    try await LiveServer.serve { _, _, port in
      for fields in [
        "Connection: Close\r\n", "Connection: TE, close\r\n",
        "Connection: keep-alive\r\nConnection: CLOSE\r\n",
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n",
        "Connection: upgrade\r\nUpgrade: websocket\r\n", "Proxy-Connection: close\r\n",
      ] {
        for request in ["GET /health HTTP/1.1\r\nHost: a\r\n\(fields)\r\n", Self.post(fields)] {
          let answer = try await Self.ask(port, request)
          #expect(answer.hasPrefix("HTTP/1.1 200 OK"), "\(request): \(answer)")
          #expect(answer.lowercased().contains("connection: close"), "\(request): \(answer)")
        }
      }
      let tunnel = try await Self.ask(port, "CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n")
      #expect(tunnel.lowercased().contains("connection: close"), "\(tunnel)")
      // The one before it stays as it is.
      let two = try await Self.ask(
        port, "GET /health HTTP/1.1\r\nHost: a\r\n\r\n" + Self.post("Connection: Close\r\n"))
      let answers = two.components(separatedBy: "HTTP/1.1 200 OK")
      #expect(answers.count == 3, "\(two)")
      #expect(!answers[1].lowercased().contains("connection: close"), "\(two)")
      // An Upgrade that Connection does not name is none.
      let kept = try await Self.ask(
        port,
        "GET /health HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\n\r\n"
          + Self.post("Connection: close\r\n"))
      #expect(kept.components(separatedBy: "HTTP/1.1 200 OK").count == 3, "\(kept)")
    }
  }

  @Test func whoWaitsToGoOnIsTold() async throws {
    try await LiveServer.serve { _, _, port in
      let head =
        "POST /predict HTTP/1.1\r\nHost: a\r\nConnection: close\r\nExpect: 100-continue\r\n"
        + "Content-Length: \(Self.body.utf8.count)\r\n\r\n"
      let socket = try Socket(port: port).sending(head)
      let interim = try await onThread { try socket.readSome() }
      #expect(interim == "HTTP/1.1 100 Continue\r\n\r\n")
      let answer = try await onThread { try socket.sending(Self.body).readAll() }
      #expect(answer.hasPrefix("HTTP/1.1 200 OK"), "\(answer)")
      // Who is refused by his head alone sends nothing in vain.
      for (path, length, status) in [
        ("/nothing", 10, 404), ("/predict", 100_000_000, 413),
        ("/predict", UInt64(Int.max) + 1, 413), ("/embed", UInt64.max, 413),
      ] {
        let refused = try await Self.ask(
          port,
          "POST \(path) HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: \(length)\r\n\r\n"
        )
        #expect(refused.hasPrefix("HTTP/1.1 \(status) "), "\(refused)")
      }
      // HTTP/1.0 knows of no answer before the answer.
      let old = try await Self.ask(
        port, Self.post("Expect: 100-continue\r\n", version: "1.0"))
      #expect(old.hasPrefix("HTTP/1.0 200 OK"), "\(old)")
      let other = try await Self.ask(
        port, Self.post("Expect: 200-ok\r\nConnection: close\r\n"))
      #expect(other.hasPrefix("HTTP/1.1 417 "), "\(other)")
      // Bytes under an encoding that is not read are not taken for what they are not.
      for (coding, status) in [("gzip", 400), ("br, gzip", 415), ("Identity", 200)] {
        let answer = try await Self.ask(
          port, Self.post("Content-Encoding: \(coding)\r\nConnection: close\r\n"))
        #expect(answer.hasPrefix("HTTP/1.1 \(status) "), "\(answer)")
      }
    }
  }
}
