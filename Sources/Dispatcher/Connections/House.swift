internal import NIOCore
internal import Synchronization

/// All connections of a listener, within the bounds of `HouseBook`.
package final class House: Sendable {
  private struct State {
    var book: HouseBook
    var close: [UInt64: @Sendable () -> Void] = [:]
  }
  private let state: Mutex<State>

  /// `reserved` places beside the `seats` are for /health and /metrics alone.
  package init(seats: Int, reserved: Int) {
    state = Mutex(State(book: HouseBook(seats: seats, reserved: reserved)))
  }

  package var count: Int { state.withLock(\.book.count) }

  /// The number and place of a new connection; nil where not even a reserved place is free. `close`
  /// is called when it has to make way for another, from any thread, and must check that it is idle.
  func enter(_ close: @escaping @Sendable () -> Void) -> (number: UInt64, place: HouseBook.Place)? {
    let (entry, evict) = state.withLock {
      state -> ((UInt64, HouseBook.Place)?, (@Sendable () -> Void)?) in
      let (number, place, evicted) = state.book.enter(now: .now)
      guard let place else { return (nil, nil) }
      state.close[number] = close
      return ((number, place), evicted.flatMap { state.close[$0] })
    }
    evict?()
    return entry
  }

  func leave(_ number: UInt64) {
    state.withLock { state in
      state.book.leave(number)
      state.close[number] = nil
    }
  }

  func note(_ number: UInt64, isIdle: Bool) {
    state.withLock { $0.book.note(number, idle: isIdle ? .now : nil) }
  }
}
