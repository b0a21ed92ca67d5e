internal import Synchronization

/// What the log said of late: a fault that every request meets is said once a minute, not a thousand times
/// a second. A value; remembers `most` faults.
struct LogPace: Sendable {
  static let pause = Duration.seconds(60)
  static let most = 256

  private var said: [String: ContinuousClock.Instant] = [:]

  /// Whether it is time to say this, which then counts as said.
  mutating func isDue(_ what: String, now: ContinuousClock.Instant) -> Bool {
    if let last = said[what], now - last < Self.pause { return false }
    if said.count >= Self.most, let oldest = said.min(by: { $0.value < $1.value }) {
      said[oldest.key] = nil
    }
    said[what] = now
    return true
  }
}

/// The same, of one server.
final class PacedLog: Sendable {
  private let pace = Mutex(LogPace())

  func isDue(_ what: String) -> Bool { pace.withLock { $0.isDue(what, now: .now) } }
}
