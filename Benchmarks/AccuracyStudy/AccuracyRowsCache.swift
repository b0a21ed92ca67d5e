package import Manager
import Model
private import Synchronization

/// Tokenised tasks, for candidates that come one after another: the latest few are kept.
package final class AccuracyRowsCache: Sendable {
  private struct State {
    var rows: [String: AccuracyRows] = [:]
    /// The keys of `rows`, oldest first.
    var order: [String] = []
  }

  private let state = Mutex(State())
  private let most: Int

  package init(most: Int) { self.most = max(1, most) }

  /// As `AccuracyRows` makes them; those of one task must be asked for with the same caps and length.
  package func rows(
    _ task: AccuracyTask, caps: AccuracyRows.Caps, maxLength: Int, base: Base
  ) throws -> AccuracyRows {
    let key = "\(base.name) \(task.kind) \(task.name)"
    if let rows = state.withLock({ $0.rows[key] }) { return rows }
    let made = try AccuracyRows(
      task, caps: caps, maxLength: maxLength, tokenizer: base.tokenizer,
      base: base.configuration)
    state.withLock { state in
      guard state.rows.updateValue(made, forKey: key) == nil else { return }
      state.order.append(key)
      if state.order.count > most { state.rows[state.order.removeFirst()] = nil }
    }
    return made
  }
}
