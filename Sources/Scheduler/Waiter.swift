internal import Synchronization

/// What one ticket is answered with.
package typealias Outcome = Result<Reply, ServingError>

/// A request of n sequences that waits for its n answers, or for the first that is an error.
///
/// Answers after the end (the request was cancelled, or another sequence failed) are let go.
package final class Waiter: Sendable {
  private struct State {
    var replies: [Reply?]
    var missing: Int
    var error: ServingError?
    var sleeper: Sleeper?

    var isOver: Bool { missing == 0 || error != nil }
  }
  private let state: Mutex<State>

  package init(count: Int) {
    state = Mutex(State(replies: Array(repeating: nil, count: count), missing: count))
  }

  /// Nobody waits for further answers: work on them may be left out.
  package var isOver: Bool { state.withLock(\.isOver) }

  /// What the waiting ended with, where that is an error.
  package var failure: ServingError? { state.withLock(\.error) }

  func resolve(_ place: Int, _ outcome: Outcome) {
    end { state in
      switch outcome {
      case .success(let reply) where state.replies[place] == nil:
        state.replies[place] = reply
        state.missing -= 1
      case .success: break
      case .failure(let error): state.error = error
      }
    }
  }

  /// Ends the waiting; nothing happens where it is over.
  package func fail(_ error: ServingError) { end { $0.error = error } }

  private func end(_ change: (inout State) -> Void) {
    let sleeper = state.withLock { state in
      guard !state.isOver else { return nil as Sleeper? }
      change(&state)
      guard state.isOver else { return nil }
      defer { state.sleeper = nil }
      return state.sleeper
    }
    sleeper?.wake()
  }

  /// Replies in the order of the places. One task at a time may wait.
  package func replies() async throws(ServingError) -> [Reply] {
    await Sleeper.sleep { sleeper in
      let over = state.withLock { state in
        if !state.isOver { state.sleeper = sleeper }
        return state.isOver
      }
      if over { sleeper.wake() }
    }
    let (replies, error) = state.withLock { ($0.replies, $0.error) }
    if let error { throw error }
    return replies.compactMap(\.self)
  }
}

/// A task that sleeps until it is woken, once.
@safe struct Sleeper: Sendable {
  private let continuation: UnsafeContinuation<Void, Never>

  /// Returns when the sleeper that `body` is given has been woken, which must happen once.
  static func sleep(_ body: (Sleeper) -> Void) async {
    unsafe await withUnsafeContinuation { continuation in
      body(unsafe Sleeper(continuation: continuation))
    }
  }

  func wake() { unsafe continuation.resume() }
}
