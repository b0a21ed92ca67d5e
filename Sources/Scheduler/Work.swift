internal import Model
internal import Synchronization

/// One sequence on its way: what to compute, and the duty to answer it. The scheduler's side alone
/// holds it, so that losing it answers its ticket.
package final class Work: Sendable, Batchable {
  package let request: Request
  package let arrived = ContinuousClock.now
  package let deadline: ContinuousClock.Instant
  package let units: Double
  package let isBackground: Bool
  private let waiter: Waiter
  private let ticket: Mutex<Ticket?>
  /// nil for the server's own probes.
  private let counts: SequenceCounts?

  package init(
    _ request: Request, for waiter: Waiter, place: Int, deadline: ContinuousClock.Instant,
    counts: SequenceCounts? = nil, isBackground: Bool = false
  ) {
    self.request = request
    self.waiter = waiter
    self.deadline = deadline
    self.counts = counts
    self.isBackground = isBackground
    units = BatchSpeed.units(tokens: request.length)
    ticket = Mutex(Ticket(waiter, place: place))
  }

  /// The server's own: in no metric of what was asked for.
  var isProbe: Bool { counts == nil }
  package var tokens: Int { request.length }
  package var base: String { request.pin.base.name }
  package var isUnwanted: Bool { waiter.isOver }

  /// The first answer counts; further ones are let go.
  package func answer(_ outcome: Outcome) {
    ticket.withLock { slot in
      guard let ticket = slot.take() else { return }
      // Counted first: whoever has the answer finds it among the counts.
      switch (waiter.failure, outcome) {
      case (let error?, _), (nil, .failure(let error)): counts?.note(.init(error))
      case (nil, .success): counts?.note(.answered)
      }
      ticket.answer(outcome)
    }
  }

  /// Ends the waiting of its whole request. What is under way may go on, for nobody; its ticket is
  /// answered when it comes back.
  package func giveUp(_ error: ServingError) { waiter.fail(error) }

  deinit {
    // Not by `answer`: lost. The ticket sees to the waiter.
    let isLost = ticket.withLock { $0 != nil }
    if isLost { counts?.note(waiter.failure.map { .init($0) } ?? .failed) }
  }
}
