internal import Foundation

/// From a head's outputs to what is answered.
package enum Readout {
  /// exp(x) / sum exp(x), in a way that does not overflow.
  package static func softmax(_ logits: [Float]) -> [Float] {
    guard let top = logits.max() else { return [] }
    var values = logits.map { exp($0 - top) }
    let sum = values.reduce(0, +)
    for i in values.indices { values[i] /= sum }
    return values
  }

  /// 1 / (1 + exp(-x)).
  package static func sigmoids(_ logits: [Float]) -> [Float] {
    logits.map { $0 >= 0 ? 1 / (1 + exp(-$0)) : exp($0) / (1 + exp($0)) }
  }

  /// The place of the largest, the first of equals; nil where there is none.
  package static func best(_ values: some Collection<Float>) -> Int? {
    var best: (place: Int, value: Float)?
    for (place, value) in values.enumerated() where best.map({ value > $0.value }) ?? true {
      best = (place, value)
    }
    return best?.place
  }

  /// The first `dimensions` values, divided by their L2 norm if asked for; a vector of zeros stays.
  package static func embedding(
    _ vector: [Float], dimensions: Int? = nil, normalize: Bool = true
  ) -> [Float] {
    let cut = dimensions.map { Array(vector.prefix($0)) } ?? vector
    guard normalize else { return cut }
    let norm = cut.reduce(into: 0.0) { $0 += Double($1) * Double($1) }.squareRoot()
    return norm > 0 ? cut.map { Float(Double($0) / norm) } : cut
  }
}
