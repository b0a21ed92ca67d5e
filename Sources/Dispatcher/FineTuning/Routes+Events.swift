internal import Foundation
internal import Manager
internal import Scheduler
internal import Synchronization

extension Dispatcher {
  /// What happened on the way, the newest first.
  func events(_ id: String, _ query: NewestQuery, _ caller: Caller) async throws -> Outcome {
    let before: Int64
    if let after = query.after {
      guard let number = EventAnswer.number(after) else {
        throw APIError.invalid("an event's id was expected", param: "after")
      }
      before = number
    } else {
      before = .max
    }
    return try await managing(caller) {
      let record = try await fineTuningRecord(id, caller)
      let all = try await registry.events(of: record.number, after: 0, limit: .max)
      let older = all.reversed().filter { $0.number < before }
      let data = older.prefix(query.limit).map { EventAnswer($0) }
      return try Outcome(encoding: Page(data: data, hasMore: older.count > query.limit))
    }
  }

  /// The same as they happen, the oldest first, until it is over: server-sent events
  /// (https://html.spec.whatwg.org/multipage/server-sent-events.html), the last of them `[DONE]`. `last`: what a
  /// client that comes back has seen.
  func eventStream(_ id: String, last: String?, _ caller: Caller) async throws -> Outcome {
    let record = try await managing(caller) { try await fineTuningRecord(id, caller) }
    let feed = EventFeed(after: last.flatMap(EventAnswer.number) ?? 0)
    let read = { @Sendable (number: Int64) async throws -> ([FineTuningEvent], isOver: Bool) in
      try await managing(caller.again) {
        // Looked at first: what was written before its end is among the events then.
        let isOver = try await registry.fineTuning(id, of: caller.reach)?.state.isOver ?? true
        return (
          try await registry.events(of: record.number, after: number, limit: 100), isOver
        )
      }
    }
    return Outcome(
      ByteStream(type: "text/event-stream", length: nil) { try await feed.next(read) })
  }
}

extension Caller {
  /// For what is asked later, on the same connection.
  fileprivate var again: Caller {
    Caller(
      tenant: tenant, key: key, begin: begin,
      arrival: Arrival(
        tenant: tenant.id, weight: arrival.weight, deadline: .now + .seconds(30)),
      memory: memory)
  }
}

/// How far somebody has heard.
private final class EventFeed: Sendable {
  private struct State {
    var last: Int64
    var isOver = false
  }
  private let state: Mutex<State>
  private static let pause: Duration = .milliseconds(300)
  /// A line now and then keeps proxies from taking silence for the end.
  private static let silence: Duration = .seconds(10)

  init(after number: Int64) { state = Mutex(State(last: number)) }

  /// The next events, when there are any; nil at the end.
  func next(
    _ read: (Int64) async throws -> ([FineTuningEvent], isOver: Bool)
  ) async throws -> [UInt8]? {
    let (last, isOver) = state.withLock { ($0.last, $0.isOver) }
    if isOver { return nil }
    let begin = ContinuousClock.now
    while true {
      let (events, isOver) = try await read(last)
      if let newest = events.last {
        state.withLock { $0.last = newest.number }
        return Array(try events.map { try EventAnswer($0).line() }.joined().utf8)
      }
      if isOver {
        state.withLock { $0.isOver = true }
        return Array("data: [DONE]\n\n".utf8)
      }
      if .now - begin > Self.silence { return Array(": nothing new\n\n".utf8) }
      try await Task.sleep(for: Self.pause)
    }
  }
}

private struct EventAnswer: Encodable {
  let id: String
  let object = "fine_tuning.job.event"
  let createdAt: Date
  let level: String
  let message: String
  let type: String
  let data: [String: Double]

  init(_ event: FineTuningEvent) {
    (id, createdAt) = ("ftevent-\(event.number)", event.time)
    (level, message, data) = (event.level.rawValue, event.text, event.data)
    type = event.data.isEmpty ? "message" : "metrics"
  }

  static func number(_ id: String) -> Int64? {
    id.hasPrefix("ftevent-") ? Int64(id.dropFirst(8)) : nil
  }

  func line() throws -> String { "id: \(id)\ndata: \(try Outcome.text(of: self))\n\n" }
}
