internal import Manager
internal import Scheduler
internal import Synchronization

/// Who asks and since when, whatever protocol brought the request: with its decoded body all that a route
/// gets.
struct Caller: Sendable {
  let tenant: TenantRecord
  /// nil in an open home.
  let key: KeyRecord?
  let begin: ContinuousClock.Instant
  let arrival: Arrival
  /// Tokens that were computed for it.
  let meter = Meter()
  /// What the request holds of the memory for bodies.
  let memory: RequestMemory.Share

  /// Whether it may reach all tenants'.
  var isOperator: Bool { key?.scopes.isAdmin ?? false }

  /// Its work is more than an event loop or the cooperative pool should be held up by.
  var isLarge: Bool { memory.size > RequestMemory.free }
}

/// Counts what one request uses.
final class Meter: Sendable {
  private let count = Atomic(0)

  var tokens: Int { count.load(ordering: .relaxed) }
  func add(tokens: Int) { count.add(tokens, ordering: .relaxed) }
}
