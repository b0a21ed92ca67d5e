internal import Dispatch
internal import Synchronization

/// A slot for one value between two threads: the one behind it fills it while the one ahead works.
final class Handover<Value: Sendable>: Sendable {
  private let value = Mutex<Value?>(nil)
  private let empty = DispatchSemaphore(value: 1)
  private let full = DispatchSemaphore(value: 0)

  /// Returns when the slot is free; the caller must `put` next.
  func reserve() { empty.wait() }

  /// Fills the slot that was reserved; nil says that nothing follows.
  func put(_ new: Value?) {
    value.withLock { $0 = new }
    full.signal()
  }

  /// Waits for the next value; nil when nothing follows.
  func take() -> Value? {
    full.wait()
    defer { empty.signal() }
    return value.withLock { value in
      defer { value = nil }
      return value
    }
  }

  // A semaphore must not go while it is lower than it began.
  deinit { empty.signal() }
}
