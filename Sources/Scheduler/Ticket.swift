/// The duty to answer one sequence: exactly once, however its life ends.
///
/// Whoever holds the ticket answers it by giving it up; whoever loses it (a batch that is thrown
/// away, a queue that goes with its server) answers with `ServingError.dropped` by losing it.
@safe package struct Ticket: ~Copyable, Sendable {
  /// Retained until the answer: `discard self` wants members without a destructor.
  private let waiter: Unmanaged<Waiter>
  private let place: Int

  /// The ticket for the sequence at `place` of the request that `waiter` stands for.
  package init(_ waiter: Waiter, place: Int) {
    unsafe self.waiter = .passRetained(waiter)
    self.place = place
  }

  package consuming func answer(_ outcome: Outcome) {
    unsafe waiter.takeRetainedValue().resolve(place, outcome)
    discard self
  }

  deinit { unsafe waiter.takeRetainedValue().resolve(place, .failure(.dropped)) }
}
