/// How far rounded values are from exact ones, over any number of them.
package struct RoundingError: Sendable, Equatable {
  package private(set) var largest: Float = 0
  /// The least cosine of any pair of vectors; 1 when there was none.
  package private(set) var leastCosine = 1.0
  private var cosines = 0.0
  private var count = 0

  package init() {}

  package var meanCosine: Double { count == 0 ? 1 : cosines / Double(count) }

  /// Vectors of equal length. What is not a number counts as infinitely far, and as its opposite.
  package mutating func add(_ exact: some Collection<Float>, _ rounded: some Collection<Float>) {
    var (dot, a, b) = (0.0, 0.0, 0.0)
    for (x, y) in zip(exact, rounded) {
      let distance = abs(x - y)
      if !(distance <= largest) { largest = distance.isNaN ? .infinity : distance }
      dot += Double(x) * Double(y)
      a += Double(x) * Double(x)
      b += Double(y) * Double(y)
    }
    let cosine = a == 0 && b == 0 ? 1 : dot / (a * b).squareRoot()
    let known = cosine.isFinite ? cosine : -1
    cosines += known
    count += 1
    leastCosine = min(leastCosine, known)
  }
}
