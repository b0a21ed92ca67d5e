/// What moves scores to mean 0 and variance 1.
struct ScoreUnit: Sendable {
  let mean: Float
  let deviation: Float

  /// Of none, and of scores that are all alike, the deviation is 1. O(scores).
  init(_ scores: [Float]) {
    let count = Double(max(1, scores.count))
    let mean = scores.reduce(0) { $0 + Double($1) } / count
    let variance = scores.reduce(0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / count
    let deviation = Float(variance.squareRoot())
    (self.mean, self.deviation) = (Float(mean), deviation > 0 ? deviation : 1)
  }

  func standard(_ score: Float) -> Float { (score - mean) / deviation }
}
