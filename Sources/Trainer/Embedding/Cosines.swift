/// The cosines of some vectors with each other, and the way back from their gradient to the vectors'.
/// On the host: what a batch compares is small beside what made it. O(count^2 * dimensions).
struct Cosines {
  let count: Int
  /// Values of a vector, and how many of the first are looked at.
  private let hidden, dimensions: Int
  /// The vectors' first values divided by their norm; a vector of zeros stays.
  private let units: [Float]
  private let norms: [Double]
  /// [count * count], symmetric.
  let values: [Double]

  /// `features` [count, hidden].
  init(_ features: [Float], hidden: Int, dimensions: Int) {
    precondition(1...hidden ~= dimensions && features.count % hidden == 0)
    (count, self.hidden, self.dimensions) = (features.count / hidden, hidden, dimensions)
    var units: [Float] = []
    var norms: [Double] = []
    for i in 0..<count {
      let (unit, norm) = Self.unit(features[i * hidden..<i * hidden + dimensions])
      units += unit
      norms.append(norm)
    }
    (self.units, self.norms) = (units, norms)
    values = Self.products(units, count: count, dimensions: dimensions)
  }

  /// The vector divided by its norm, and that; a vector of zeros stays.
  static func unit(_ vector: some Collection<Float>) -> ([Float], norm: Double) {
    let norm = vector.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
    return (norm == 0 ? Array(vector) : vector.map { Float(Double($0) / norm) }, norm)
  }

  func callAsFunction(_ i: Int, _ j: Int) -> Double { values[i * count + j] }

  /// Loops of this kind are what training waits for: plain pointers, no ranges.
  private static func products(_ units: [Float], count: Int, dimensions: Int) -> [Double] {
    var values = [Double](repeating: 0, count: count * count)
    unsafe units.withUnsafeBufferPointer { units in
      var i = 0
      while i < count {
        var j = 0
        while j <= i {
          var (sum, k) = (0.0, 0)
          while k < dimensions {
            unsafe sum += Double(units[i * dimensions + k]) * Double(units[j * dimensions + k])
            k += 1
          }
          (values[i * count + j], values[j * count + i]) = (sum, sum)
          j += 1
        }
        i += 1
      }
    }
    return values
  }

  /// Adds to the vectors' gradient [count, hidden], times `share`, what that of the cosines
  /// [count * count] comes to.
  func backward(_ gradient: [Double], share: Double, to features: inout [Float]) {
    precondition(gradient.count == values.count && features.count == count * hidden)
    var sum = [Double](repeating: 0, count: dimensions)
    for i in 0..<count where norms[i] > 0 {
      // d cos(i, j) / d x_i = (u_j - cos(i, j) u_i) / |x_i|.
      var along = 0.0
      for k in sum.indices { sum[k] = 0 }
      for j in 0..<count where j != i {
        let weight = gradient[i * count + j] + gradient[j * count + i]
        guard weight != 0 else { continue }
        along += weight * self(i, j)
        add(j, times: weight, to: &sum)
      }
      add(i, times: -along, to: &sum)
      let scale = share / norms[i]
      for k in sum.indices { features[i * hidden + k] += Float(scale * sum[k]) }
    }
  }

  private func add(_ i: Int, times weight: Double, to sum: inout [Double]) {
    let (first, dimensions) = (i * dimensions, dimensions)
    unsafe units.withUnsafeBufferPointer { units in
      unsafe sum.withUnsafeMutableBufferPointer { sum in
        var k = 0
        while k < dimensions {
          unsafe sum[k] += weight * Double(units[first + k])
          k += 1
        }
      }
    }
  }
}

/// A loss of cosines, and its derivative by each of them, [count * count].
struct CosineLoss {
  var value = 0.0
  var gradient: [Double]

  init(count: Int) { gradient = [Double](repeating: 0, count: count * count) }
}
