import Foundation
import Glibc
import Synchronization
import TestSupport
import Testing

@testable import VBERTClient

/// What a client does that no server of ours makes it do every day.
@Suite(.timeLimit(.minutes(10))) struct ClientTests {
  /// A server that says what it is told to, a text a connection.
  private final class Parrot: Sendable {
    private let descriptor: Int32
    let port: Int
    private let heard = Mutex<[String]>([])
    var requests: [String] { heard.withLock { $0 } }

    init(_ answers: [String]) {
      let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_addr.s_addr = unsafe inet_addr("127.0.0.1")
      var length = socklen_t(MemoryLayout<sockaddr_in>.size)
      unsafe withUnsafeMutablePointer(to: &address) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
          unsafe _ = bind(descriptor, generic, length)
          listen(descriptor, 8)
          unsafe _ = getsockname(descriptor, generic, &length)
        }
      }
      self.descriptor = descriptor
      port = Int(UInt16(bigEndian: address.sin_port))
      Thread.detachNewThread { [self] in
        for answer in answers {
          let peer = accept(descriptor, nil, nil)
          heard.withLock { $0.append(Self.request(peer)) }
          unsafe _ = Array(answer.utf8).withUnsafeBytes {
            unsafe write(peer, $0.baseAddress, $0.count)
          }
          close(peer)
        }
      }
    }

    /// Head and body: who closes with something unread takes the answer back.
    private static func request(_ peer: Int32) -> String {
      var text = ""
      while true {
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        let count = unsafe read(peer, &bytes, bytes.count)
        guard count > 0 else { return text }
        text += String(decoding: bytes.prefix(count), as: UTF8.self)
        let parts = text.split(
          separator: "\r\n\r\n", maxSplits: 1, omittingEmptySubsequences: false)
        let length = parts[0].lowercased().firstMatch(of: /content-length: (\d+)/).map {
          Int($0.1) ?? 0
        }
        if parts.count == 2, parts[1].utf8.count >= length ?? 0 { return text }
      }
    }

    deinit { close(descriptor) }
  }

  private static func answer(_ status: String, _ body: String, _ more: String = "") -> String {
    "HTTP/1.1 \(status)\r\nContent-Length: \(body.utf8.count)\r\n\(more)\r\n\(body)"
  }

  @Test func itComesBackWhenItIsTold() async throws {
    let parrot = Parrot([
      Self.answer("429 Too Many Requests", #"{"error": "full"}"#, "Retry-After: 0\r\n"),
      Self.answer("503 Service Unavailable", "", "Retry-After: 0\r\n"),
      Self.answer("200 OK", "[[0.5, 0.25]]"),
    ])
    let client = try VBERTClient(url: "http://127.0.0.1:\(parrot.port)/behind/", key: "k")
    #expect(try await client.embed("a", ["b"]) == [[0.5, 0.25]])
    #expect(parrot.requests.count == 3)
    let first = parrot.requests.first ?? ""
    #expect(first.hasPrefix("POST /behind/embed HTTP/1.1\r\n"))
    #expect(first.lowercased().contains("authorization: bearer k\r\n"))
  }

  @Test func whatIsNotToBeAskedAgainIsSaid() async throws {
    let parrot = Parrot([
      Self.answer("500 Oh", #"{"error": {"message": "broken"}}"#, "Retry-After: 0\r\n"),
      Self.answer("404 Not Found", #"{"error": "nothing", "error_type": "NotFound"}"#),
      "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n[[0.5", Self.answer("200 OK", "{}"),
    ])
    let client = try VBERTClient(url: "http://127.0.0.1:\(parrot.port)")
    for problem in [
      VBERTClientError.status(500, "broken", retryAfter: 0),
      .status(404, "nothing", retryAfter: nil),
    ] { await #expect(throws: problem) { try await client.embed("a", ["b"]) } }
    for _ in 0..<2 {
      await #expect(throws: VBERTClientError.self) { try await client.embed("a", ["b"]) }
    }
  }

  /// From the last event that was heard, not from the beginning.
  @Test func eventsGoOnWhereTheConnectionBroke() async throws {
    func event(_ number: Int) -> String {
      """
      id: ftevent-\(number)
      data: {"id": "ftevent-\(number)", "level": "info", "message": "\(number)", "data": {}, "created_at": 1}\n\n
      """
    }
    let head =
      "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    func chunk(_ text: String) -> String { "\(String(text.utf8.count, radix: 16))\r\n\(text)\r\n" }
    let parrot = Parrot([
      head + chunk(event(1) + event(2).dropLast(30)),
      head + chunk(": silence\n\n") + chunk(event(2) + "data: [DONE]\n\n") + "0\r\n\r\n",
    ])
    let client = try VBERTClient(url: "http://127.0.0.1:\(parrot.port)")
    var heard: [String] = []
    for try await event in client.events(of: "ftjob-1") { heard.append(event.message) }
    #expect(heard == ["1", "2"])
    #expect(parrot.requests.last?.lowercased().contains("last-event-id: ftevent-1\r\n") == true)
  }

  @Test(arguments: 1...60) func eventsAreReadInAnyPieces(length: Int) throws {
    let event =
      #"{"id": "ftevent-7", "level": "warn", "message": "ä", "data": {"x": 1}, "created_at": 5}"#
    let bytes = Array(": hello\n\nid: ftevent-7\ndata: \(event)\n\ndata: [DONE]\n\n".utf8)
    let reader = EventReader()
    var heard: [FineTuningEvent] = []
    for start in stride(from: 0, to: bytes.count, by: length) {
      try reader.read(Array(bytes[start..<min(bytes.count, start + length)])) { heard.append($0) }
    }
    #expect(heard.map(\.message) == ["ä"] && heard.first?.data == ["x": 1])
    #expect(reader.isOver && reader.last == "ftevent-7")
  }

  /// Whatever a server sends: events, or a problem.
  @Test func fuzzedEventsNeverTrap() {
    let event =
      #"{"id": "ftevent-7", "level": "info", "message": "a", "data": {}, "created_at": 5}"#
    Fuzz.run { random, _ in
      var bytes = Array("id: ftevent-7\ndata: \(event)\n\ndata: [DONE]\n\n".utf8)
      for _ in 0..<Int.random(in: 0...5, using: &random) {
        bytes[Int.random(in: 0..<bytes.count, using: &random)] = .random(
          in: 0...255, using: &random)
      }
      let reader = EventReader()
      let cut = Int.random(in: 0...bytes.count, using: &random)
      try? reader.read(Array(bytes[..<cut])) { _ in }
      try? reader.read(Array(bytes[cut...])) { _ in }
    }
  }

  @Test(arguments: [
    "localhost:8080", "ftp://a", "https://a", "http://", "http://a?b=c", "http://u:p@a", "",
  ]) func whatIsNoServersAddressIsRefused(url: String) {
    #expect(throws: VBERTClientError.self) { try VBERTClient(url: url) }
  }

  @Test func namesStayWhatTheyAreInPaths() {
    #expect(VBERTClient.part("acme/mood@4") == "acme%2Fmood@4")
    #expect(VBERTClient.part("a b?#&ä") == "a%20b%3F%23%26%C3%A4")
    #expect(VBERTClient.path("/x", [("a", nil), ("b", "c&d")]) == "/x?b=c%26d")
  }
}
