import Testing
import Trainer

@Suite struct LimitedMemoryTests {
  /// Runs a function to its end.
  private func search(
    _ start: [Float], _ function: ([Float]) -> (Double, [Float])
  ) -> LimitedMemory {
    var search = LimitedMemory(start: start, tolerance: 1e-6)
    while !search.isDone {
      let (value, gradient) = function(search.point)
      search.tell(value: value, gradient: gradient)
    }
    return search
  }

  @Test func findsAStretchedBowlsFloor() {
    let (stretch, floor): ([Float], [Float]) = ([1, 100, 0.01, 7], [3, -2, 0.5, 11])
    let found = search([0, 0, 0, 0]) { x in
      let away = zip(x, floor).map { $0 - $1 }
      return (
        zip(stretch, away).reduce(0.0) { $0 + Double($1.0 * $1.1 * $1.1) / 2 },
        zip(stretch, away).map { $0 * $1 }
      )
    }
    for (a, b) in zip(found.point, floor) { #expect(abs(a - b) < 0.05, "\(found.point)") }
    #expect(found.looks < 60)
  }

  @Test func endsWhereNothingIsToBeFound() {
    #expect(LimitedMemory(start: []).isDone)
    #expect(search([1, 2]) { _ in (4, [0, 0]) }.point == [1, 2])
    let nowhere = search([1, 2]) { _ in (.nan, [.nan, .nan]) }
    #expect(nowhere.looks == 1 && nowhere.point == [1, 2])
  }

  /// A step into what is no number is taken back.
  @Test func comesBackFromTheEdge() {
    let found = search([1]) { x in
      x[0] <= 0 ? (.nan, [.nan]) : (Double(x[0]) - Double(x[0]).logarithm, [1 - 1 / x[0]])
    }
    #expect(abs(found.point[0] - 1) < 1e-3)
    let far = search([30]) { x in
      x[0] <= 0 ? (.nan, [.nan]) : (Double(x[0]) - 20 * Double(x[0]).logarithm, [1 - 20 / x[0]])
    }
    #expect(abs(far.point[0] - 20) < 0.2, "\(far.point)")
  }
}

extension Double {
  /// ln x by its series, so that the test needs no mathematics of the system.
  fileprivate var logarithm: Double {
    var (x, halvings) = (self, 0.0)
    while x > 1.5 {
      x /= 2
      halvings += 1
    }
    let z = (x - 1) / (x + 1)
    var (sum, power) = (0.0, z)
    for i in stride(from: 1, to: 60, by: 2) {
      sum += power / Double(i)
      power *= z * z
    }
    return 2 * sum + halvings * 0.693_147_180_559_945_3
  }
}
