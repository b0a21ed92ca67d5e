/// Whether a peer that has closed its side of a connection still waits for its answer.
///
/// The kernel says the same of a peer that only ends its request (`shutdown`, as some clients do) and
/// of one that is gone (`close`): nothing more comes. The difference shows when something is sent: who
/// is gone resets the connection. So what every answer begins with, whatever it will be, is sent
/// ahead; the first is answered, the second is found out at once.
///
/// A value: events in, decisions out.
struct AnswerAhead {
  /// What every answer begins with, to whichever version.
  static let start: [UInt8] = Array("HTTP/1.".utf8)

  /// Requests whose answers have not ended.
  private var owed = 0
  private var hasBegun = false
  private var isAhead = false

  mutating func requestBegan() { owed += 1 }

  /// Returns whether to send `start` now.
  mutating func peerClosed() -> Bool {
    guard owed > 0, !hasBegun, !isAhead else { return false }
    isAhead = true
    return true
  }

  /// An answer's head is about to be written, without its `start` where that is out. `isFinal` is false
  /// of 1xx, which another head follows.
  mutating func answerBegins(isFinal: Bool) {
    isAhead = false
    hasBegun = isFinal
  }

  mutating func answerEnded() {
    owed = max(0, owed - 1)
    hasBegun = false
  }
}
