import Compute
import ComputeCPU
import TestSupport
import Testing

/// Every backward operation against central differences of a naive forward in Double.
@Suite struct GradientTests {
  @Test(arguments: [(5, 7, 3, Float(1)), (33, 64, 20, 0.5), (1, 1, 1, 2), (130, 17, 65, 1)])
  func linear(_ rows: Int, _ inputs: Int, _ outputs: Int, _ scale: Float) throws {
    let check = try GradientCheck()
    let (x, w) = (check.values(rows * inputs), check.values(outputs * inputs))
    let (b, r) = (check.values(outputs), check.values(rows * outputs))
    let scaled = w.map { $0 * Double(scale) }
    let (xt, wt) = (try check.tensor(rows, inputs, x), try check.tensor(outputs, inputs, w))
    let out = try check.tensor(rows, outputs)
    try check.backend.linear(
      xt, weight: wt, bias: try check.tensor(1, outputs, b), scale: scale, adding: false, into: out)
    try check.expect(out, Naive.linear(x, scaled, b, inputs: inputs))
    try check.backend.linear(xt, weight: wt, bias: nil, scale: scale, adding: true, into: out)
    try check.expect(
      out,
      zip(
        Naive.linear(x, scaled, b, inputs: inputs), Naive.linear(x, scaled, nil, inputs: inputs)
      ).map(+))

    // The map is linear in each argument: its gradients in closed form are exact.
    let d = try check.tensor(rows, outputs, r)
    let dx = try check.tensor(rows, inputs)
    try check.backend.linearInputGradient(d, weight: wt, scale: scale, adding: false, into: dx)
    let expected = Naive.linear(
      r, Naive.transposed(scaled, rows: outputs), nil, inputs: outputs)
    try check.expect(dx, expected)
    try check.backend.linearInputGradient(d, weight: wt, scale: scale, adding: true, into: dx)
    try check.expect(dx, expected.map { 2 * $0 })

    let (dw, db) = (try check.tensor(outputs, inputs), try check.tensor(1, outputs))
    for _ in 0..<2 {
      try check.backend.linearParameterGradient(d, input: xt, scale: scale, weight: dw, bias: db)
    }
    let factor = 2 * Double(scale)
    try check.expect(dw, Naive.transposedProduct(r, x, rows: rows).map { factor * $0 })
    let ones = [Double](repeating: factor, count: rows)
    try check.expect(db, Naive.transposedProduct(ones, r, rows: rows))
  }

  @Test func gelu() throws {
    let check = try GradientCheck()
    let x = check.values(20_000, scale: 6) + [0, -0.0, 30, -30, 1e-20]
    let (state, out) = (try check.tensor(1, x.count, x), try check.tensor(1, x.count))
    try check.backend.geluSaving(state, into: out)
    try check.expect(out, x.map(Naive.gelu), tolerance: 1e-7)
    try check.expect(
      state, x.map { GradientCheck.differences([$0]) { Naive.gelu($0[0]) }[0] }, tolerance: 1e-6)
  }

  @Test(arguments: [(3, 8), (40, 7), (1, 130)]) func addNorm(_ rows: Int, _ n: Int) throws {
    let check = try GradientCheck()
    let (x, other) = (check.values(rows * n, scale: 3), check.values(rows * n))
    let (gamma, beta) = (check.values(n), check.values(n))
    let r = check.values(rows * n)
    func sum(_ x: [Double]) -> [Double] { zip(x, other).map(+) }
    let norm = Normalization(
      gamma: try check.tensor(1, n, gamma), beta: try check.tensor(1, n, beta), epsilon: 1e-5)
    let saved = SavedNorm(
      normalised: try check.tensor(rows, n), inverse: try check.tensor(1, rows))
    let out = try check.tensor(rows, n, x)
    try check.backend.addNormSaving(
      out, residual: try check.tensor(rows, n, other), norm: norm, into: out, saving: saved)
    try check.expect(out, Naive.norm(sum(x), gamma, beta, epsilon: 1e-5), tolerance: 1e-5)

    let d = try check.tensor(rows, n, r)
    let gradients = (gamma: try check.tensor(1, n), beta: try check.tensor(1, n))
    try check.backend.addNormBackward(d, saved: saved, gamma: norm.gamma, gradients: gradients)
    try check.expect(
      d, GradientCheck.differences(x) { dot(r, Naive.norm(sum($0), gamma, beta, epsilon: 1e-5)) },
      tolerance: 1e-5)
    try check.expect(
      gradients.gamma,
      GradientCheck.differences(gamma) { dot(r, Naive.norm(sum(x), $0, beta, epsilon: 1e-5)) },
      tolerance: 1e-5)
    try check.expect(
      gradients.beta,
      GradientCheck.differences(beta) { dot(r, Naive.norm(sum(x), gamma, $0, epsilon: 1e-5)) },
      tolerance: 1e-5)
  }

  @Test(arguments: [([1, 5, 2], 2, 8), ([17], 1, 5), ([3, 18], 2, 12)])
  func attention(_ lengths: [Int], _ heads: Int, _ hidden: Int) throws {
    let check = try GradientCheck()
    let layout = SequenceLayout(lengths: lengths)
    let qkv = check.values(layout.rows * 3 * hidden, scale: 2)
    let r = check.values(layout.rows * hidden)
    let dqkv = try check.tensor(layout.rows, 3 * hidden)
    try check.backend.attentionBackward(
      try check.tensor(layout.rows, hidden, r), qkv: try check.tensor(layout.rows, 3 * hidden, qkv),
      sequences: try check.backend.place(layout), heads: heads, into: dqkv)
    try check.expect(
      dqkv,
      GradientCheck.differences(qkv) {
        dot(r, Naive.attention($0, layout: layout, heads: heads, hidden: hidden))
      }, tolerance: 1e-5)
  }

  @Test(arguments: [([1, 5, 2], 2, 8), ([17], 1, 5), ([3, 18], 2, 12)])
  func attentionWithBiases(_ lengths: [Int], _ heads: Int, _ hidden: Int) throws {
    let check = try GradientCheck()
    let layout = SequenceLayout(lengths: lengths)
    let span = 2 * (layout.longest + 1) - 1
    let qkv = check.values(layout.rows * 3 * hidden, scale: 2)
    let bias = check.values(heads * span, scale: 2)
    let r = check.values(layout.rows * hidden)
    let dqkv = try check.tensor(layout.rows, 3 * hidden)
    let before = check.values(heads * span)
    let dbias = try check.tensor(heads, span, before)
    try check.backend.attentionBackward(
      try check.tensor(layout.rows, hidden, r), qkv: try check.tensor(layout.rows, 3 * hidden, qkv),
      sequences: try check.backend.place(layout), heads: heads,
      bias: AttentionBias(values: try check.tensor(heads, span, bias), gradient: dbias),
      into: dqkv)
    func loss(_ qkv: [Double], _ bias: [Double]) -> Double {
      dot(
        r, Naive.attention(qkv, layout: layout, heads: heads, hidden: hidden, bias: bias))
    }
    try check.expect(
      dqkv, GradientCheck.differences(qkv) { loss($0, bias) }, tolerance: 1e-5)
    // What was there grows.
    let differences = GradientCheck.differences(bias) { loss(qkv, $0) }
    try check.expect(dbias, zip(before, differences).map { $0 + $1 }, tolerance: 1e-5)
  }

  @Test(arguments: [Pooling.mean, .cls]) func pool(_ pooling: Pooling) throws {
    let check = try GradientCheck()
    let (layout, n) = (SequenceLayout(lengths: [1, 4, 2]), 6)
    let (x, r) = (check.values(layout.rows * n), check.values(layout.count * n))
    let dx = try check.tensor(layout.rows, n, check.values(layout.rows * n))
    try check.backend.poolBackward(
      try check.tensor(layout.count, n, r), sequences: try check.backend.place(layout),
      pooling: pooling, into: dx)
    try check.expect(
      dx,
      GradientCheck.differences(x) {
        dot(r, Naive.pool($0, layout: layout, hidden: n, mean: pooling == .mean))
      })
  }

  @Test func gate() throws {
    let check = try GradientCheck()
    let (rows, n) = (9, 20)
    let (x, gate, bias) = (check.values(rows * n), check.values(n), 0.3)
    let r = check.values(rows * n)
    let (xt, gt) = (try check.tensor(rows, n, x), try check.tensor(1, n, gate))
    let (out, opening) = (try check.tensor(rows, n), try check.tensor(1, rows))
    try check.backend.applyGateSaving(
      xt, gate: gt, bias: try check.tensor(1, 1, [bias]), into: out, opening: opening)
    try check.expect(out, Naive.gate(x, gate, bias))
    let d = try check.tensor(rows, n, r)
    let gradients = (gate: try check.tensor(1, n), bias: try check.tensor(1, 1))
    try check.backend.gateBackward(d, x: xt, gate: gt, opening: opening, gradients: gradients)
    try check.expect(d, GradientCheck.differences(x) { dot(r, Naive.gate($0, gate, bias)) })
    try check.expect(
      gradients.gate, GradientCheck.differences(gate) { dot(r, Naive.gate(x, $0, bias)) })
    try check.expect(
      gradients.bias, GradientCheck.differences([bias]) { dot(r, Naive.gate(x, gate, $0[0])) })
  }

  @Test(arguments: [1, 3]) func gatherAndScatter(_ terms: Int) throws {
    let check = try GradientCheck()
    let (entries, rows, n) = (11, 150, 70)
    let (table, r) = (check.values(entries * n), check.values(rows * n))
    let indices = check.indices(rows * terms, -1..<Int32(entries))
    let out = try check.tensor(rows, n)
    try check.backend.gatherSum(
      try check.tensor(entries, n, table), indices: indices, terms: terms, into: out)
    try check.expect(out, Naive.gatherSum(table, indices, terms: terms, columns: n))
    let dtable = try check.tensor(entries, n)
    try check.backend.scatterAdd(
      try check.tensor(rows, n, r), indices: indices, terms: terms, to: dtable)
    var expected = [Double](repeating: 0, count: table.count)
    for (place, index) in indices.enumerated() where index >= 0 {
      for c in 0..<n { expected[Int(index) * n + c] += r[place / terms * n + c] }
    }
    try check.expect(dtable, expected)
  }
}
