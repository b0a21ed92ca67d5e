internal import Manager
internal import Scheduler

/// Who asks and since when, whatever protocol brought the request: with its decoded body all that a route
/// gets.
struct Caller: Sendable {
  let tenant: TenantRecord
  let begin: ContinuousClock.Instant
  let arrival: Arrival
  /// What the request holds of the memory for bodies.
  let memory: RequestMemory.Share

  /// Its work is more than an event loop or the cooperative pool should be held up by.
  var isLarge: Bool { memory.size > RequestMemory.free }
}
