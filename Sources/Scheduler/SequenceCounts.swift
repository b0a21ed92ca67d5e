internal import Synchronization

/// How sequences ended, counted since the start.
package final class SequenceCounts: Sendable {
  package enum Ending: String, Sendable, CaseIterable {
    case answered
    /// With an error, its own or that of another sequence of its request.
    case failed
    /// Its connection was closed.
    case cancelled
    /// Its time limit passed.
    case expired
    /// The queue was full.
    case refused
  }

  private let counts = Mutex<[Ending: Int]>([:])

  package subscript(_ ending: Ending) -> Int { counts.withLock { $0[ending] ?? 0 } }

  func note(_ ending: Ending) { counts.withLock { $0[ending, default: 0] += 1 } }
}

extension SequenceCounts.Ending {
  init(_ error: ServingError) {
    self =
      switch error {
      case .cancelled: .cancelled
      case .timedOut: .expired
      case .overloaded: .refused
      default: .failed
      }
  }
}
