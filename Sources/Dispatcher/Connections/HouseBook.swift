/// Who is connected, and who has to go when the house is full.
///
/// Past `seats` connections a new one takes the seat of whoever has been without a request longest,
/// for `grace` at least. Where nobody is, it gets one of a few reserved places, in which only /health
/// and /metrics are answered; of these the one longest without a request makes way. A value: events
/// in, decisions out, times given.
struct HouseBook: Sendable {
  typealias Instant = ContinuousClock.Instant

  enum Place: Sendable, Equatable { case seat, reserved }

  private struct Guest {
    let place: Place
    /// Without a request since then; nil while it has one.
    var idle: Instant?
    /// Told to go: its place counts as free.
    var isLeaving = false
  }

  let seats: Int
  let reserved: Int
  let grace: Duration
  private var guests: [UInt64: Guest] = [:]
  private var taken: [Place: Int] = [.seat: 0, .reserved: 0]
  private var next: UInt64 = 0

  init(seats: Int, reserved: Int, grace: Duration = .seconds(1)) {
    (self.seats, self.reserved, self.grace) = (seats, reserved, grace)
  }

  var count: Int { guests.count }

  /// The new guest's number and place (nil: there is none), and who has to go for it.
  mutating func enter(now: Instant) -> (number: UInt64, place: Place?, evicted: UInt64?) {
    next += 1
    if taken[.seat, default: 0] < seats {
      admit(next, .seat, now)
      return (next, .seat, nil)
    }
    if let idle = longestIdle(.seat, until: now - grace) {
      evict(idle)
      admit(next, .seat, now)
      return (next, .seat, idle)
    }
    var evicted: UInt64?
    if taken[.reserved, default: 0] >= reserved {
      guard let idle = longestIdle(.reserved, until: now) else { return (next, nil, nil) }
      evict(idle)
      evicted = idle
    }
    admit(next, .reserved, now)
    return (next, .reserved, evicted)
  }

  mutating func leave(_ number: UInt64) {
    guard let guest = guests.removeValue(forKey: number), !guest.isLeaving else { return }
    taken[guest.place, default: 0] -= 1
  }

  /// A guest's request begins (nil) or has ended.
  mutating func note(_ number: UInt64, idle: Instant?) { guests[number]?.idle = idle }

  private mutating func admit(_ number: UInt64, _ place: Place, _ now: Instant) {
    guests[number] = Guest(place: place, idle: now)
    taken[place, default: 0] += 1
  }

  private mutating func evict(_ number: UInt64) {
    guard let place = guests[number]?.place else { return }
    guests[number]?.isLeaving = true
    taken[place, default: 0] -= 1
  }

  private func longestIdle(_ place: Place, until: Instant) -> UInt64? {
    var found: (number: UInt64, since: Instant)?
    for (number, guest) in guests where guest.place == place && !guest.isLeaving {
      guard let since = guest.idle, since <= until else { continue }
      if let best = found, best.since <= since { continue }
      found = (number, since)
    }
    return found?.number
  }
}
