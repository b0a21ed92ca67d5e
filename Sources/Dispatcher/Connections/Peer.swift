/// What one connection's peer is doing, and whether it has taken too long for it.
///
/// A value: events in, verdicts out, times given. One request is read at a time; the next one's bytes
/// stay with the kernel until the answer is out.
struct Peer: Sendable {
  typealias Instant = ContinuousClock.Instant

  enum Reading: Sendable, Equatable {
    /// No byte of a request since then.
    case waiting(since: Instant)
    case head(since: Instant)
    /// So many bytes of the body since then.
    case body(since: Instant, bytes: Int)
    case complete
    /// All is said; what still comes is thrown away.
    case lingering(until: Instant, room: Int)
  }

  enum Verdict: Sendable, Equatable {
    case go, close
    /// Say that it took too long (408), then close.
    case refuse
  }

  private let limits: PeerLimits
  private(set) var reading: Reading
  /// Requests whose head is here and whose answer is not out.
  private(set) var unanswered = 0
  private var hasBegunAnswer = false
  private var isFirst = true
  /// Bytes of answers that the kernel has not taken, and since when.
  private var unsent = 0
  private var stalled: Instant
  private var drainEnd: Instant?

  init(_ limits: PeerLimits, now: Instant) {
    self.limits = limits
    reading = .waiting(since: now)
    stalled = now
  }

  /// No request is under way: the connection can be closed without loss.
  var isIdle: Bool { unanswered == 0 }

  var isLingering: Bool { if case .lingering = reading { true } else { false } }

  var isInBody: Bool { if case .body = reading { true } else { false } }

  /// Whether more should be read from the socket.
  var mayRead: Bool { reading != .complete && unanswered <= 1 }

  // MARK: What comes in

  /// Bytes, before anybody made sense of them. False when a peer that should be silent by now has sent
  /// more than is thrown away for it: close.
  mutating func received(_ bytes: Int, now: Instant) -> Bool {
    switch reading {
    case .waiting: reading = .head(since: now)
    case .lingering(let until, let room):
      reading = .lingering(until: until, room: room - bytes)
      return room >= bytes
    case .head, .body, .complete: break
    }
    return true
  }

  mutating func receivedHead(now: Instant) {
    unanswered += 1
    reading = .body(since: now, bytes: 0)
  }

  mutating func receivedBody(_ bytes: Int) {
    if case .body(let since, let count) = reading {
      reading = .body(since: since, bytes: count + bytes)
    }
  }

  mutating func receivedEnd() {
    if case .body = reading { reading = .complete }
  }

  // MARK: What goes out

  /// Whether the answer has to say that the connection ends with it: its request's body is not all
  /// here and nobody will read on, or the server stops.
  mutating func beginsAnswer() -> Bool {
    hasBegunAnswer = true
    if drainEnd != nil { return true }
    if case .body = reading { return unanswered == 1 }
    return false
  }

  /// The answer is out. True where the connection has to end now.
  mutating func endsAnswer(now: Instant) -> Bool {
    unanswered = max(0, unanswered - 1)
    hasBegunAnswer = false
    isFirst = false
    guard unanswered == 0 else { return false }
    switch reading {
    case .complete: reading = .waiting(since: now)
    case .body: return true
    case .waiting, .head, .lingering: break
    }
    return drainEnd != nil
  }

  mutating func linger(now: Instant) {
    if !isLingering {
      reading = .lingering(until: now + limits.linger, room: limits.lingerBytes)
    }
    unanswered = 0
  }

  mutating func writes(_ bytes: Int, now: Instant) {
    if unsent == 0 { stalled = now }
    unsent += bytes
  }

  mutating func sent(_ bytes: Int, now: Instant) {
    unsent -= bytes
    stalled = now
  }

  // MARK: Time

  mutating func drain(now: Instant) { if drainEnd == nil { drainEnd = now + limits.drain } }

  /// When `verdict` may be another one.
  var deadline: Instant {
    var first = drainEnd
    func consider(_ instant: Instant) { first = min(first ?? instant, instant) }
    if unsent > 0 { consider(stalled + limits.write) }
    switch reading {
    case .waiting(let since): consider(since + (isFirst ? limits.head : limits.idle))
    case .head(let since): consider(since + limits.head)
    case .body(let since, _): consider(since + limits.bodyWindow)
    case .lingering(let until, _): consider(until)
    case .complete: break
    }
    return first ?? stalled + .seconds(3600)
  }

  /// `isReading`: the socket is being read, so that a body that does not come is the peer's doing.
  mutating func verdict(now: Instant, isReading: Bool) -> Verdict {
    if let drainEnd, now >= drainEnd { return .close }
    if unsent > 0, now >= stalled + limits.write { return .close }
    switch reading {
    case .waiting(let since):
      let limit = isFirst ? limits.head : limits.idle
      return unsent == 0 && now >= since + limit ? .close : .go
    case .head(let since): return now >= since + limits.head ? .refuse : .go
    case .body(let since, let bytes):
      guard now >= since + limits.bodyWindow else { return .go }
      let least = Double(limits.bodyRate) * (limits.bodyWindow / .seconds(1))
      if isReading, Double(bytes) < least {
        return hasBegunAnswer || unanswered > 1 ? .close : .refuse
      }
      reading = .body(since: now, bytes: 0)
      return .go
    case .lingering(let until, _): return now >= until ? .close : .go
    case .complete: return .go
    }
  }
}
