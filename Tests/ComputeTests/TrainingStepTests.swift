import Compute
import ComputeCPU
import Foundation
import TestSupport
import Testing

@Suite struct TrainingStepTests {
  @Test(arguments: [nil, [Float(0.5), 2, 1, 0.1]]) func softmaxLoss(_ weights: [Float]?) throws {
    let check = try GradientCheck()
    let (labels, classes): ([Int32], Int) = ([0, 3, -100, 1, -1, 2], 4)
    let logits = check.values(labels.count * classes, scale: 5)
    let d = try check.tensor(labels.count, classes)
    let loss = try check.backend.softmaxLoss(
      try check.tensor(labels.count, classes, logits), labels: labels, weights: weights,
      share: 0.25, into: d)
    func naive(_ logits: [Double]) -> Double {
      Naive.softmaxLoss(logits, labels, weights: weights, classes: classes, share: 0.25)
    }
    #expect(abs(loss - naive(logits)) < 1e-6)
    try check.expect(d, GradientCheck.differences(logits, naive))
  }

  @Test func softmaxLossOfHugeLogitsIsFinite() throws {
    let check = try GradientCheck()
    let d = try check.tensor(1, 2)
    let loss = try check.backend.softmaxLoss(
      try check.tensor(1, 2, [3e38, -3e38]), labels: [0], weights: nil, share: 1, into: d)
    #expect(loss == 0)
    #expect(try check.download(d) == [0, 0])
  }

  @Test(arguments: [nil, [Float(3), 1]]) func binaryLoss(_ weights: [Float]?) throws {
    let check = try GradientCheck()
    let logits = check.values(8, scale: 4)
    let targets: [Float] = [0, 1, 1, 0, 1, 1, 0, 0]
    let d = try check.tensor(4, 2)
    let loss = try check.backend.binaryLoss(
      try check.tensor(4, 2, logits), targets: targets, weights: weights, share: 0.125, into: d)
    func naive(_ logits: [Double]) -> Double {
      Naive.binaryLoss(logits, targets, weights: weights, labels: 2, share: 0.125)
    }
    #expect(abs(loss - naive(logits)) < 1e-6)
    try check.expect(d, GradientCheck.differences(logits, naive))
  }

  @Test func squaredLoss() throws {
    let check = try GradientCheck()
    let (x, targets) = (check.values(12), check.values(12))
    let d = try check.tensor(3, 4)
    let loss = try check.backend.squaredLoss(
      try check.tensor(3, 4, x), targets: try check.tensor(3, 4, targets), share: 0.1, into: d)
    func naive(_ x: [Double]) -> Double {
      zip(x, targets).reduce(0) { $0 + 0.1 * ($1.0 - $1.1) * ($1.0 - $1.1) }
    }
    #expect(abs(loss - naive(x)) < 1e-6)
    try check.expect(d, GradientCheck.differences(x, naive))
  }

  /// Three steps, against the formulas in Double.
  @Test func adamW() throws {
    let check = try GradientCheck()
    var (p, m, v) = (check.values(20_000), [Double](), [Double]())
    m = p.map { _ in 0 }
    v = m
    let state = AdamWState(
      value: try check.tensor(1, p.count, p), gradient: try check.tensor(1, p.count),
      mean: try check.tensor(1, p.count), square: try check.tensor(1, p.count))
    for number in 1...3 {
      let g = check.values(p.count)
      try unsafe g.map { Float($0) }.withUnsafeBufferPointer { g throws(ComputeError) in
        unsafe try check.backend.upload(g, to: state.gradient)
      }
      try check.backend.adamW(
        state,
        step: AdamWStep(
          number: number, rate: 1e-2, beta1: 0.9, beta2: 0.98, epsilon: 1e-8, decay: 0.1,
          gradientScale: 0.5))
      for i in p.indices {
        m[i] = 0.9 * m[i] + 0.1 * 0.5 * g[i]
        v[i] = 0.98 * v[i] + 0.02 * 0.25 * g[i] * g[i]
        p[i] *= 1 - 1e-2 * 0.1
        let (mean, square) = (
          m[i] / (1 - pow(0.9, Double(number))), v[i] / (1 - pow(0.98, Double(number)))
        )
        p[i] -= 1e-2 * mean / (square.squareRoot() + 1e-8)
      }
    }
    try check.expect(state.value, p, tolerance: 1e-6)
    #expect(abs(try check.backend.squaredSum(state.value) - dot(p, p)) < 1e-4 * dot(p, p))
  }

  @Test func dropout() throws {
    let check = try GradientCheck()
    let count = 100_000
    let ones = [Double](repeating: 1, count: count)
    func dropped(_ key: UInt64, _ check: GradientCheck) throws -> [Double] {
      let x = try check.tensor(1, count, ones)
      try check.backend.dropout(x, probability: 0.3, key: key)
      return try check.download(x)
    }
    let first = try dropped(1, check)
    let kept = first.filter { $0 != 0 }
    #expect(kept.allSatisfy { abs($0 - 1 / 0.7) < 1e-6 })
    #expect(abs(Double(kept.count) / Double(count) - 0.7) < 0.006)
    // Neighbours and other keys are drawn independently: they agree in 0.7^2 + 0.3^2 of the places.
    let second = try dropped(2, check)
    let agreeing = [
      zip(first, second), zip(first, Array(first.dropFirst())),
      zip(first, Array(first.dropFirst(7))),
    ].map { pairs in Double(pairs.filter { $0 == $1 }.count) / Double(count) }
    for share in agreeing { #expect(abs(share - 0.58) < 0.01) }
    // The same on any number of threads.
    #expect(first == (try dropped(1, GradientCheck(threads: 1))))
  }
}
