internal import Synchronization

/// One sequence on its way: what to compute, and the duty to answer it. The scheduler's side alone
/// holds it, so that losing it answers its ticket.
package final class Work: Sendable {
  package let request: Request
  package let arrived = ContinuousClock.now
  private let waiter: Waiter
  private let ticket: Mutex<Ticket?>

  package init(_ request: Request, for waiter: Waiter, place: Int) {
    self.request = request
    self.waiter = waiter
    ticket = Mutex(Ticket(waiter, place: place))
  }

  package var tokens: Int { request.ids.count }
  /// Nobody waits for it any more.
  package var isUnwanted: Bool { waiter.isOver }

  /// The first answer counts; further ones are let go.
  package func answer(_ outcome: Outcome) {
    ticket.withLock { slot in
      if let ticket = slot.take() { ticket.answer(outcome) }
    }
  }
}
