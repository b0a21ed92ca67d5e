import Compute
import ComputeCPU
import Testing

/// The loss between attention relations, against its definition and central differences.
@Suite struct RelationTests {
  private static func loss(
    _ qkv: [Double], _ targets: [Double], _ layout: SequenceLayout, heads: Int, hidden: Int,
    relation: Relation
  ) -> Double {
    let width = hidden / heads
    let (first, second) = relation == .scores ? (0, hidden) : (2 * hidden, 2 * hidden)
    func product(_ x: [Double], _ i: Int, _ j: Int, _ head: Int) -> Double {
      var sum = 0.0
      for c in 0..<width {
        sum +=
          x[i * 3 * hidden + first + head * width + c]
          * x[j * 3 * hidden + second + head * width + c]
      }
      return sum / Double(width).squareRoot()
    }
    var loss = 0.0
    for sequence in 0..<layout.count {
      let rows = layout.rows(of: sequence)
      for head in 0..<heads {
        for i in rows {
          for j in rows {
            let difference = product(qkv, i, j, head) - product(targets, i, j, head)
            loss += difference * difference / Double(rows.count)
          }
        }
      }
    }
    return loss
  }

  @Test(arguments: Relation.allCases) func lossAndGradient(_ relation: Relation) throws {
    let (hidden, heads, share) = (12, 3, 0.7)
    let layout = SequenceLayout(lengths: [1, 5, 2])
    let check = try GradientCheck()
    let qkv = check.values(layout.rows * 3 * hidden)
    let targets = check.values(layout.rows * 3 * hidden)
    let before = check.values(layout.rows * 3 * hidden)
    let d = try check.tensor(layout.rows, 3 * hidden, before)
    let value = try check.tensor(1, 1, [0.25])
    try check.backend.relationLoss(
      try check.tensor(layout.rows, 3 * hidden, qkv),
      targets: try check.tensor(layout.rows, 3 * hidden, targets), relation: relation,
      sequences: try check.backend.place(layout), heads: heads, share: share, addingTo: d,
      value: value)
    let loss = try check.download(value)[0] - 0.25
    func naive(_ x: [Double]) -> Double {
      share
        * RelationTests.loss(
          x, targets, layout, heads: heads, hidden: hidden, relation: relation)
    }
    #expect(abs(loss - naive(qkv)) < 1e-5 * naive(qkv))
    try check.expect(
      d, zip(before, GradientCheck.differences(qkv, naive)).map { $0 + $1 }, tolerance: 1e-5)
  }
}
