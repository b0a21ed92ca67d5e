import Testing

@testable import Dispatcher

@Suite struct PeerTests {
  private let begin = ContinuousClock.now
  private let limits = PeerLimits()

  private func at(_ seconds: Double) -> ContinuousClock.Instant { begin + .seconds(seconds) }
  private func peer() -> Peer { Peer(limits, now: begin) }

  @Test func whoSaysNothingIsClosed() {
    var peer = peer()
    #expect(peer.deadline == at(10))
    #expect(peer.verdict(now: at(9.9), isReading: true) == .go)
    #expect(peer.verdict(now: at(10), isReading: true) == .close)
  }

  /// A byte now and then is no progress: the head has its time from its first byte.
  @Test func aHeadHasItsTime() {
    var peer = peer()
    for second in stride(from: 3.0, to: 13, by: 1) {
      let isHeard = peer.received(1, now: at(second))
      #expect(isHeard)
      #expect(peer.verdict(now: at(second), isReading: true) == .go)
    }
    #expect(peer.deadline == at(13))
    #expect(peer.verdict(now: at(13), isReading: true) == .refuse)
  }

  private func received(_ peer: inout Peer, body: Int, ended: Bool, _ second: Double) {
    _ = peer.received(200 + body, now: at(second))
    peer.receivedHead(now: at(second))
    if body > 0 { peer.receivedBody(body) }
    if ended { peer.receivedEnd() }
  }

  @Test func aBodyKeepsItsRate() {
    var peer = peer()
    received(&peer, body: 1 << 20, ended: false, 1)
    // However much came before, every window needs its bytes.
    #expect(peer.verdict(now: at(6), isReading: true) == .go)
    peer.receivedBody(5119)
    #expect(peer.verdict(now: at(10.9), isReading: true) == .go)
    #expect(peer.deadline == at(11))
    #expect(peer.verdict(now: at(11), isReading: true) == .refuse)
    // Where we do not read it is not the peer's doing, and the window begins anew.
    #expect(peer.verdict(now: at(11), isReading: false) == .go)
    #expect(peer.verdict(now: at(15.9), isReading: true) == .go)
    #expect(peer.verdict(now: at(16), isReading: true) == .refuse)
  }

  @Test func nobodyIsTimedWhileWeCompute() {
    var peer = peer()
    received(&peer, body: 10, ended: true, 1)
    #expect(!peer.mayRead && !peer.isIdle)
    #expect(peer.verdict(now: at(3000), isReading: false) == .go)
    let mustSay = peer.beginsAnswer()
    let mustEnd = peer.endsAnswer(now: at(3000))
    #expect(!mustSay && !mustEnd && peer.mayRead && peer.isIdle)
    // From now on the longer time between requests.
    #expect(peer.deadline == at(3075))
    #expect(peer.verdict(now: at(3075), isReading: true) == .close)
  }

  @Test func aReaderTakesSomethingNowAndThen() {
    var peer = peer()
    received(&peer, body: 10, ended: true, 1)
    _ = peer.beginsAnswer()
    peer.writes(1000, now: at(2))
    peer.writes(1000, now: at(3))
    #expect(peer.deadline == at(12))
    peer.sent(1000, now: at(11))
    #expect(peer.verdict(now: at(20.9), isReading: false) == .go)
    #expect(peer.verdict(now: at(21), isReading: false) == .close)
    peer.sent(1000, now: at(21))
    #expect(peer.verdict(now: at(1000), isReading: false) == .go)
  }

  /// A reader that is slow with the last bytes is no idle connection.
  @Test func whatIsUnsentIsNotIdle() {
    var peer = peer()
    received(&peer, body: 0, ended: true, 0)
    _ = peer.beginsAnswer()
    peer.writes(1000, now: at(0))
    _ = peer.endsAnswer(now: at(0))
    peer.sent(500, now: at(74))
    #expect(peer.verdict(now: at(76), isReading: true) == .go)
    peer.sent(500, now: at(77))
    #expect(peer.verdict(now: at(77), isReading: true) == .close)
  }

  @Test func anAnswerBeforeTheBodysEndEndsTheConnection() {
    var peer = peer()
    received(&peer, body: 100, ended: false, 1)
    let mustSay = peer.beginsAnswer()
    let mustEnd = peer.endsAnswer(now: at(1))
    #expect(mustSay && mustEnd)
    peer.linger(now: at(1))
    let heard = [
      peer.received(limits.lingerBytes, now: at(2)), peer.received(1, now: at(2)),
    ]
    #expect(heard == [true, false])
    #expect(peer.verdict(now: at(2.9), isReading: true) == .go)
    #expect(peer.verdict(now: at(3), isReading: true) == .close)
    // Nothing it sends makes the time longer.
    peer.linger(now: at(2.9))
    #expect(peer.deadline == at(3))
  }

  /// Requests sent without waiting for answers: one is read ahead at most.
  @Test func whatIsPipelinedWaits() {
    var peer = peer()
    received(&peer, body: 0, ended: true, 0)
    #expect(!peer.mayRead)
    received(&peer, body: 10, ended: false, 0)
    #expect(!peer.mayRead)
    // The second one's body is not late while nobody reads it.
    #expect(peer.verdict(now: at(100), isReading: false) == .go)
    let mustSay = peer.beginsAnswer()
    let mustEnd = peer.endsAnswer(now: at(100))
    #expect(!mustSay && !mustEnd && peer.mayRead && peer.unanswered == 1)
    // Then it is.
    #expect(peer.verdict(now: at(106), isReading: true) == .refuse)
  }

  @Test func drainingEndsEverythingInTime() {
    // Half a body, a reader that does not read, a computation: all of them.
    var half = peer()
    received(&half, body: 10, ended: false, 0)
    var computing = peer()
    received(&computing, body: 10, ended: true, 0)
    for var peer in [half, computing] {
      peer.drain(now: at(1))
      peer.drain(now: at(5))
      #expect(peer.verdict(now: at(4), isReading: true) == .go)
      #expect(peer.verdict(now: at(11), isReading: true) == .close)
    }
    // What is answered in time says that it was the last.
    computing.drain(now: at(1))
    let mustSay = computing.beginsAnswer()
    let mustEnd = computing.endsAnswer(now: at(2))
    #expect(mustSay && mustEnd)
  }
}

@Suite struct HouseBookTests {
  private let begin = ContinuousClock.now
  private func at(_ seconds: Double) -> ContinuousClock.Instant { begin + .seconds(seconds) }

  @Test func theLongestIdleMakesWay() {
    var book = HouseBook(seats: 3, reserved: 1)
    let first = (0..<3).map { book.enter(now: at(Double($0))).number }
    book.note(first[0], idle: nil)
    let fourth = book.enter(now: at(10))
    #expect(fourth.place == .seat && fourth.evicted == first[1])
    // Told to go, it is not told twice, and its going frees nothing more.
    book.note(first[0], idle: at(10))
    let fifth = book.enter(now: at(11))
    #expect(fifth.place == .seat && fifth.evicted == first[2])
    book.leave(first[1])
    book.leave(first[2])
    #expect(book.count == 3)
    // Who came or answered a moment ago stays: the others have the reserved place.
    let sixth = book.enter(now: at(10.9))
    #expect(sixth.place == .reserved && sixth.evicted == nil)
  }

  @Test func aHouseFullOfRequestsHasItsReservedPlaces() {
    var book = HouseBook(seats: 2, reserved: 2)
    for _ in 0..<2 { book.note(book.enter(now: at(0)).number, idle: nil) }
    let reserved = (0..<2).map { _ in book.enter(now: at(100)) }
    #expect(reserved.allSatisfy { $0.place == .reserved && $0.evicted == nil })
    // Reserved places are not kept by saying nothing.
    let next = book.enter(now: at(100))
    #expect(next.place == .reserved && reserved.map(\.number).contains(next.evicted ?? 0))
    for guest in reserved + [next] { book.note(guest.number, idle: nil) }
    let last = book.enter(now: at(200))
    #expect(last.place == nil && last.evicted == nil)
    book.leave(last.number)
    book.leave(next.number)
    #expect(book.enter(now: at(200)).place == .reserved)
  }

  @Test func whoLeavesFreesASeat() {
    var book = HouseBook(seats: 1, reserved: 1)
    for second in 0..<5 {
      let guest = book.enter(now: at(Double(second) / 10))
      #expect(guest.place == .seat && guest.evicted == nil)
      book.leave(guest.number)
      book.leave(guest.number)
    }
    #expect(book.count == 0)
  }
}
