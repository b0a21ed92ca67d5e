import Foundation
import Manager
import Model
import Scheduler
import ServingSupport
import Testing

@testable import Dispatcher

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
    try await LiveServer.serve { server, source, port in
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
    try await LiveServer.serve { server, source, port in
      source.mood = .hangs
      let socket = try Socket(port: port).sending(Self.request(texts: 2, version: version))
      socket.endSending()
      try await until { server.pipeline.intake.hasOpenBatch }
      try await Task.sleep(for: .milliseconds(50))
      source.mood = .well
      let answer = try await onThread { try socket.readAll() }
      #expect(answer.hasPrefix("\(version) 200 OK\r\n"))
      #expect(answer.components(separatedBy: "HTTP/1.").count == 2)
      #expect(answer.contains(#""label":"#))
      #expect(server.pipeline.intake.counts[.answered] == 2)
      #expect(server.pipeline.intake.counts[.cancelled] == 0)
    }
  }

  /// An answer that is an error begins as every other.
  @Test func whoEndsItsSideGetsItsErrorToo() async throws {
    try await LiveServer.serve { server, source, port in
      source.mood = .hangs
      let socket = try Socket(port: port).sending(Self.request(texts: 1))
      socket.endSending()
      try await until { server.pipeline.intake.hasOpenBatch }
      source.mood = .fails
      let answer = try await onThread { try socket.readAll() }
      #expect(answer.hasPrefix("HTTP/1.1 424 "))
    }
  }

  /// Two requests at once on one connection, then its end: both answers come, whole.
  @Test func pipelinedRequestsAreAnswered() async throws {
    try await LiveServer.serve { _, source, port in
      let text = Self.request(texts: 1)
      let socket = try Socket(port: port).sending(text + text)
      socket.endSending()
      let answer = try await onThread { try socket.readAll() }
      #expect(answer.components(separatedBy: "HTTP/1.1 200 OK\r\n").count == 3)
    }
  }

  /// Thousands of requests that are sent ahead are not all answered before somebody else's.
  @Test func whoSendsAheadDoesNotGoAhead() async throws {
    try await LiveServer.serve { _, _, port in
      let ahead = String(repeating: "GET /health HTTP/1.1\r\nHost: a\r\n\r\n", count: 1800)
      let sockets = try (0..<8).map { _ in try Socket(port: port).sending(ahead) }
      let asking = try Socket(port: port)
        .sending("GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
      let page = try await onThread { try asking.readAll() }
      // That the page is here says how many of them were answered before it.
      let answered = page.split(separator: "\n").first {
        $0.hasPrefix("vbert_http_requests_total") && $0.contains("/health")
      }
      let count = answered.flatMap { $0.split(separator: " ").last }.flatMap { Int($0) } ?? 0
      #expect(page.contains("vbert_healthy") && count < 8 * 1800 / 2, "\(count)")
      withExtendedLifetime(sockets) {}
    }
  }
}
