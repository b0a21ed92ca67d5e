internal import Foundation
internal import Synchronization

/// Reads server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html) whose data is a
/// fine-tuning's event.
final class EventReader: Sendable {
  private struct State {
    var pending: [UInt8] = []
    var last: String?
    var isOver = false
  }
  private let state = Mutex(State())
  private static let longest = 1 << 20

  /// The id of the last event that was read.
  var last: String? { state.withLock(\.last) }
  var isOver: Bool { state.withLock(\.isOver) }

  /// What comes next is another connection's.
  func breakOff() { state.withLock { $0.pending = [] } }

  /// Throws `VBERTClientError.answer`.
  func read(_ bytes: [UInt8], _ tell: (FineTuningEvent) -> Void) throws {
    let lines = try state.withLock { state in
      state.pending += bytes
      guard state.pending.count <= Self.longest else {
        throw VBERTClientError.answer("a line is too long")
      }
      guard let end = state.pending.lastIndex(of: UInt8(ascii: "\n")) else { return [Substring]() }
      let whole = String(decoding: state.pending[...end], as: UTF8.self)
      state.pending.removeSubrange(...end)
      return whole.split(separator: "\n")
    }
    for line in lines where line.hasPrefix("data: ") {
      let data = line.dropFirst(6)
      if data == "[DONE]" {
        state.withLock { $0.isOver = true }
        continue
      }
      let decoder = JSONDecoder()
      decoder.dateDecodingStrategy = .secondsSince1970
      let event: FineTuningEvent
      do { event = try decoder.decode(FineTuningEvent.self, from: Data(data.utf8)) } catch {
        throw VBERTClientError.answer("\(error)")
      }
      state.withLock { $0.last = event.id }
      tell(event)
    }
  }
}
