/// The scores that an embedder learnt from, and what cosine stands for each: those between -1 and 1 are
/// cosines as they are, of others the lowest is 0 and the highest 1.
package struct ScoreRange: Sendable, Hashable, Codable {
  package let lowest, highest: Double

  package init(_ lowest: Double, _ highest: Double) {
    (self.lowest, self.highest) = (lowest, highest)
  }

  package func union(_ other: ScoreRange?) -> ScoreRange {
    guard let other else { return self }
    return ScoreRange(min(lowest, other.lowest), max(highest, other.highest))
  }

  /// The cosine that a pair with this score should have.
  package func cosine(of score: Double) -> Double {
    if lowest >= -1, highest <= 1 { return score }
    return highest > lowest ? (score - lowest) / (highest - lowest) : 0
  }
}
