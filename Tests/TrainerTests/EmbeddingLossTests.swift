import Foundation
import Model
import TestSupport
import Testing

@testable import Trainer

/// Losses of embedders' vectors: their values and gradients beside PyTorch's, and by differences.
@Suite struct EmbeddingLossTests {
  private static let hidden = 4
  /// Six vectors of four values: sin(1 + 3 i + 7 k k).
  private static let features: [Float] = (0..<6).flatMap { i in
    (0..<hidden).map { k in Float(sin(1 + 3 * Double(i) + 7 * Double(k * k))) }
  }
  private static let labels: [Int32] = [0, 1, 0, 1, 0, 2]

  /// Of PyTorch 2.15 in float64: the loss, and the gradient of the first and the last vector.
  private static let known: [(name: String, loss: Double, gradient: [Double])] = [
    (
      "pairs ranking", 1.854173,
      [0.416295, -1.059043, -0.966833, 0.060705, 1.296966, -0.903205, -2.024086, 0.799525]
    ),
    (
      "pairs margin", 0.272986,
      [0.022885, -0.058218, -0.053149, 0.003337, 0.111929, -0.077947, -0.174680, 0.069000]
    ),
    (
      "triplets ranking", 39.598303,
      [-0.544807, 1.385974, 1.265298, -0.079444, -0.253389, 0.176460, 0.395447, -0.156204]
    ),
    (
      "triplets margin", 2.171229,
      [-0.016795, 0.042725, 0.039005, -0.002449, -0.066099, 0.046031, 0.103157, -0.040747]
    ),
    (
      "labels contrastive", 0.615001,
      [0.018060, -0.045943, -0.041943, 0.002633, -0.242603, 0.168948, 0.378613, -0.149554]
    ),
    (
      "labels neighbours", 0.130921,
      [0, 0, 0, 0, -0.334149, 0.232701, 0.521483, -0.205989]
    ),
    (
      "labels margin", 0.058463,
      [0, 0, 0, 0, -0.068216, 0.047505, 0.106460, -0.042052]
    ),
    (
      "scores cosine", 2.647000,
      [-0.014164, 0.036034, 0.032896, -0.002065, -0.080652, 0.056166, 0.125868, -0.049719]
    ),
    (
      "scores cosent", 1.416748,
      [-0.117320, 0.298458, 0.272471, -0.017108, 0.140799, -0.098052, -0.219735, 0.086796]
    ),
    (
      "pairs ranking 4,2", 1.656429,
      [0.665753, -0.918725, -0.483416, 0.030352, 1.480711, -0.734745, -1.012043, 0.399763]
    ),
  ]

  /// The batch of a name: what is compared, by which loss, in which sizes.
  private func batch(_ name: String) throws -> EmbeddingBatch {
    let words = name.split(separator: " ")
    let loss = try #require(EmbeddingLoss(rawValue: String(words[1])))
    let sizes = words.count > 2 ? words[2].split(separator: ",").compactMap { Int($0) } : []
    let kind: EmbeddingBatch.Kind
    switch words[0] {
    case "pairs", "triplets":
      let texts = words[0] == "pairs" ? 2 : 3
      kind = .ranked(
        RankedBatch(
          rows: stride(from: 0, to: 6, by: texts).map { .init(texts: $0..<$0 + texts) },
          identities: Array(0..<6)))
    case "labels": kind = .labelled(Self.labels)
    default: kind = .scored([1, 0.2, 0.6])
    }
    return EmbeddingBatch(kind, loss: loss, dimensions: sizes, hidden: Self.hidden)
  }

  @Test func valuesAndGradientsArePyTorchs() throws {
    for (name, expected, gradient) in Self.known {
      let found = try batch(name)(Self.features)
      #expect(abs(found.loss - expected) < 1e-5 * max(1, expected), "\(name)")
      let ends = found.gradient.prefix(4) + found.gradient.suffix(4)
      for (mine, theirs) in zip(ends, gradient) {
        #expect(abs(Double(mine) - theirs) < 2e-5 * max(1, abs(theirs)), "\(name)")
      }
    }
  }

  @Test func gradientsAreDifferences() throws {
    for (name, _, _) in Self.known {
      let batch = try batch(name)
      let gradient = batch(Self.features).gradient
      for i in Self.features.indices {
        var (up, down) = (Self.features, Self.features)
        up[i] += 1e-3
        down[i] -= 1e-3
        let slope = (batch(up).loss - batch(down).loss) / Double(up[i] - down[i])
        #expect(abs(slope - Double(gradient[i])) < 2e-3 * max(1, abs(slope)), "\(name) \(i)")
      }
    }
  }

  /// The value that classifiers may use as well.
  @Test func contrastiveLossStandsAlone() throws {
    let found = ContrastiveLoss(scale: 10)(
      Self.features, labels: Self.labels, hidden: Self.hidden)
    let expected = try batch("labels contrastive")(Self.features)
    #expect(found.loss == expected.loss && found.gradient == expected.gradient)
    // Vectors without a fellow teach nothing, but are there to be told from.
    let none = ContrastiveLoss()(Self.features, labels: [0, 1, 2, 3, -1, -1], hidden: 4)
    #expect(none.loss == 0 && none.gradient.allSatisfy { $0 == 0 })
  }

  /// The same text twice is no reason to push it from itself.
  @Test func whatIsKnownToBeNearIsNoNegative() {
    // a-b, a-c, d-b: b is near a and d, and so on; e-f is by itself.
    let batch = RankedBatch(
      rows: stride(from: 0, to: 8, by: 2).map { .init(texts: $0..<$0 + 2) },
      identities: [0, 1, 0, 2, 3, 1, 4, 5])
    #expect(batch.farFromAnchor(batch.rows[0], all: true) == [7])
    #expect(batch.farFromAnchor(batch.rows[2], all: true) == [3, 7])
    #expect(batch.farFromPositive(batch.rows[1]) == [4, 6])
    #expect(batch.farFromAnchor(batch.rows[3], all: true) == [1, 3, 5])
  }

  @Test func vectorsOfZerosAndOfNoNumbersDoNoHarm() throws {
    for (name, _, _) in Self.known {
      let batch = try batch(name)
      let zeros = batch([Float](repeating: 0, count: Self.features.count))
      #expect(zeros.loss.isFinite && zeros.gradient.allSatisfy { $0 == 0 }, "\(name)")
      var broken = Self.features
      broken[5] = .nan
      #expect(!batch(broken).loss.isFinite, "\(name)")
    }
  }

  @Test func scoresOfAnyRangeBecomeCosines() {
    let stars = ScoreRange(0, 5)
    #expect([0, 2.5, 5].map(stars.cosine) == [0, 0.5, 1])
    #expect(ScoreRange(-1, 0.8).cosine(of: -0.3) == -0.3)
    #expect(ScoreRange(1, 5).union(stars) == stars)
  }

  /// Every row once, those of a class in runs.
  @Test func classesRecurInABatch() {
    var random = SplitMix(seed: 3)
    let classes = (0..<100).map { Int32($0 % 10) }
    let order = ClassRuns.arranged(random.permutation(100), classes: classes, &random)
    #expect(order.sorted() == Array(0..<100))
    for first in stride(from: 0, to: 80, by: 32) {
      let batch = order[first..<first + 32].map { classes[$0] }
      let fellows = batch.count { label in batch.count { $0 == label } > 1 }
      #expect(fellows >= 28)
    }
    #expect(order != Array(0..<100))
  }
}
