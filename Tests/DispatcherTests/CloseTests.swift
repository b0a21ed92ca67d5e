import Foundation
import Glibc
import Hummingbird
import HummingbirdTesting
import Manager
import Model
import Scheduler
import ServingSupport
import Testing

@testable import Dispatcher

private typealias Task = _Concurrency.Task

@Suite struct AnswerAheadTests {
  @Test func theStartIsSentOnceAndOnlyWhereAnAnswerIsOwed() {
    var state = AnswerAhead()
    var sent = [state.peerClosed()]
    state.requestBegan()
    sent += [state.peerClosed(), state.peerClosed()]
    #expect(sent == [false, true, false])
    state.answerBegins(isFinal: true)
    let late = state.peerClosed()
    state.answerEnded()
    let after = state.peerClosed()
    #expect(!late && !after)
  }

  /// The answer itself is still to come, and may be asked for again.
  @Test func anInterimAnswerIsNone() {
    var state = AnswerAhead()
    state.requestBegan()
    state.answerBegins(isFinal: false)
    let sent = state.peerClosed()
    #expect(sent)
  }
}

/// Real connections that are closed at one side or both.
@Suite(.timeLimit(.minutes(3)), .serialized) struct CloseTests {
  private func serve(
    _ body: @escaping @Sendable (TinyServer, StubbornSource, Int) async throws -> Void
  )
    async throws
  {
    let home = try TinyHome()
    try home.addAll()
    let source = StubbornSource(home)
    let server = try TinyServer(adapters: source, home: home)
    server.pipeline.start()
    let app = Application(
      router: server.dispatcher.router(),
      server: GuardedHTTP1.builder(PeerLimits(), House(seats: 64, reserved: 0)),
      configuration: .init(address: .hostname("127.0.0.1", port: 0)))
    try await app.test(.live) { client in
      try await body(server, source, try #require(client.port))
    }
    source.mood = .well
    await server.pipeline.stop()
  }

  private static func request(texts: Int, version: String = "HTTP/1.1") -> String {
    let inputs = Array(repeating: #"["the cat sat on the mat"]"#, count: texts).joined(
      separator: ",")
    let body = #"{"model":"topic","inputs":[\#(inputs)]}"#
    return
      "POST /predict \(version)\r\nHost: a\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
  }

  /// Three that hang up while the first batch is being prepared: none of theirs is computed, and the
  /// next one is answered.
  @Test func whoHangsUpIsNotComputed() async throws {
    try await serve { server, source, port in
      source.mood = .hangs
      let sockets = try (0..<3).map { _ in
        try Socket(port: port).sending(Self.request(texts: 100))
      }
      try await until {
        server.pipeline.intake.hasOpenBatch && server.pipeline.intake.load.sequences > 200
      }
      for socket in sockets { socket.close() }
      try await until { server.pipeline.intake.load.sequences == 0 }
      source.mood = .well
      try await until { server.pipeline.intake.counts[.cancelled] == 300 }
      #expect(server.pipeline.intake.counts[.answered] == 0)
    }
  }

  /// Who says with `shutdown` that its request is complete still wants the answer.
  @Test(arguments: ["HTTP/1.1", "HTTP/1.0"])
  func whoEndsItsSideIsAnswered(version: String) async throws {
    try await serve { server, source, port in
      source.mood = .hangs
      let socket = try Socket(port: port).sending(Self.request(texts: 2, version: version))
      socket.endSending()
      try await until { server.pipeline.intake.hasOpenBatch }
      try await Task.sleep(for: .milliseconds(50))
      source.mood = .well
      let answer = try await Task.detached { try socket.readAll() }.value
      #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n"))
      #expect(answer.components(separatedBy: "HTTP/1.1").count == 2)
      #expect(answer.contains(#""label":"#))
      #expect(server.pipeline.intake.counts[.answered] == 2)
      #expect(server.pipeline.intake.counts[.cancelled] == 0)
    }
  }

  /// An answer that is an error begins as every other.
  @Test func whoEndsItsSideGetsItsErrorToo() async throws {
    try await serve { server, source, port in
      source.mood = .hangs
      let socket = try Socket(port: port).sending(Self.request(texts: 1))
      socket.endSending()
      try await until { server.pipeline.intake.hasOpenBatch }
      source.mood = .fails
      let answer = try await Task.detached { try socket.readAll() }.value
      #expect(answer.hasPrefix("HTTP/1.1 424 "))
    }
  }

  /// Two requests at once on one connection, then its end: both answers come, whole.
  @Test func pipelinedRequestsAreAnswered() async throws {
    try await serve { _, source, port in
      let text = Self.request(texts: 1)
      let socket = try Socket(port: port).sending(text + text)
      socket.endSending()
      let answer = try await Task.detached { try socket.readAll() }.value
      #expect(answer.components(separatedBy: "HTTP/1.1 200 OK\r\n").count == 3)
    }
  }
}

/// A blocking socket, 20 s at most.
private final class Socket: Sendable {
  private let descriptor: Int32

  init(port: Int) throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let result = unsafe withUnsafePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe connect(descriptor, $0, size)
      }
    }
    var limit = timeval(tv_sec: 120, tv_usec: 0)
    unsafe setsockopt(
      descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    guard result == 0 else { throw CocoaError(.fileReadUnknown) }
  }

  func sending(_ text: String) throws -> Socket {
    let bytes = Array(text.utf8)
    let sent = unsafe bytes.withUnsafeBytes {
      unsafe send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
    }
    guard sent == bytes.count else { throw CocoaError(.fileWriteUnknown) }
    return self
  }

  func endSending() { shutdown(descriptor, Int32(SHUT_WR)) }
  func close() { Glibc.close(descriptor) }

  /// Until the other side ends.
  func readAll() throws -> String {
    var all: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 65536)
    while true {
      let count = unsafe piece.withUnsafeMutableBytes {
        unsafe recv(descriptor, $0.baseAddress, $0.count, 0)
      }
      guard count >= 0 else { throw CocoaError(.fileReadUnknown) }
      if count == 0 { break }
      all += piece[..<count]
    }
    close()
    return String(decoding: all, as: UTF8.self)
  }
}
