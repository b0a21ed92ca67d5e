import Compute
import ComputeCUDA
import GPUBench

/// The operations of training beside the CPU backend's, which the test suite holds to finite
/// differences.
extension Checks {
  /// Compares every named part by itself: gradients differ in size.
  func compareParts(
    _ name: String, tolerance: Double = oneRounding, seed: UInt64 = 1,
    _ body: (Runner, any TrainableBackend) throws -> [(name: String, values: [Float])]
  ) {
    func run(_ backend: any Backend) throws -> [(name: String, values: [Float])] {
      guard let trainable = backend as? any TrainableBackend else {
        throw ComputeError.unsupported("training on \(backend.name)")
      }
      return try body(Runner(backend, seed: seed), trainable)
    }
    do {
      let (expected, found, again) = (try run(cpu), try run(gpu), try run(gpu))
      for (i, part) in expected.enumerated() {
        report(
          "\(name), \(part.name)", error: relativeError(found[i].values, part.values),
          tolerance: tolerance)
        if !areIdentical(again[i].values, found[i].values) {
          report("\(name), \(part.name), run again", error: 1, tolerance: 0)
        }
      }
    } catch { fail(name, "\(error)") }
  }

  func training() {
    linearMaps()
    values()
    norms()
    attentionGradients()
    relations()
    rowsByNumber()
    losses()
    optimizer()
  }

  private func linearMaps() {
    let shapes = [
      (1000, 384, 1536), (1000, 1536, 384), (37, 384, 64), (1, 384, 384), (5000, 384, 384),
      (33, 384, 77), (64, 384, 4), (200, 8, 32), (3, 5, 7),
    ]
    for (rows, inputs, outputs) in shapes {
      for floats in [false, true] {
        compareParts("linear \(rows) x \(inputs) x \(outputs)\(floats ? ", fp32 states" : "")") {
          r, backend in
          func state(_ columns: Int) throws -> Tensor {
            let values = r.noise(rows * columns)
            return floats
              ? try r.floats(values, columns: columns) : try r.state(values, columns: columns)
          }
          let (x, d) = (try state(inputs), try state(outputs))
          let weight = try r.floats(r.noise(outputs * inputs, scale: 0.1), columns: inputs)
          let bias = try r.floats(r.noise(outputs), columns: outputs)
          let (out, dx) = (try state(outputs), try state(inputs))
          try backend.linear(x, weight: weight, bias: bias, scale: 1, adding: false, into: out)
          let once = try r.read(out)
          try backend.linear(x, weight: weight, bias: nil, scale: 0.5, adding: true, into: out)
          try backend.linearInputGradient(d, weight: weight, scale: 2, adding: false, into: dx)
          let dxOnce = try r.read(dx)
          try backend.linearInputGradient(d, weight: weight, scale: 1, adding: true, into: dx)
          let dw = try r.floats(r.noise(outputs * inputs), columns: inputs)
          let db = try r.floats(r.noise(outputs), columns: outputs)
          for _ in 0..<2 {
            try backend.linearParameterGradient(d, input: x, scale: 0.5, weight: dw, bias: db)
          }
          // What follows a change of the weight must see it.
          try backend.add(weight, scale: 1, to: weight)
          let after = try state(outputs)
          try backend.linear(x, weight: weight, bias: bias, scale: 1, adding: false, into: after)
          return [
            ("out", once), ("added", try r.read(out)), ("dx", dxOnce), ("dx added", try r.read(dx)),
            ("dw", try r.read(dw)), ("db", try r.read(db)), ("changed", try r.read(after)),
          ]
        }
      }
    }
  }

  private func values() {
    for count in [8192, 5, 20_003] {
      compareParts("values x \(count)") { r, backend in
        let x = try r.state(r.noise(count, scale: 6), columns: count)
        let y = try r.state(r.noise(count), columns: count)
        let z = try r.floats(r.noise(count), columns: count)
        let out = try r.poisoned(rows: 1, columns: count)
        try backend.geluSaving(x, into: out)
        let derivative = try r.read(x)
        try backend.multiply(x, by: y)
        let product = try r.read(x)
        try backend.add(z, scale: 0.25, to: x)
        let sum = try r.read(x)
        try backend.add(y, scale: -3, to: z)
        try backend.dropout(y, probability: 0.3, key: 0x1234_5678_9ABC_DEF0)
        let filled = try r.poisoned(rows: 1, columns: count)
        try backend.fill(filled, with: 0.5)
        return [
          ("GELU", try r.read(out)), ("derivative", derivative), ("product", product),
          ("sum", sum), ("fp32 sum", try r.read(z)), ("dropout", try r.read(y)),
          ("fill", try r.read(filled)),
        ]
      }
    }
  }

  private func norms() {
    for hidden in [32, 384, 768, 1024] {
      for rows in [1, 101, 9000] {
        compareParts("norm \(rows) x \(hidden)") { r, backend in
          let x = try r.state(r.noise(rows * hidden, scale: 3), columns: hidden)
          let other = try r.state(r.noise(rows * hidden), columns: hidden)
          let saved = SavedNorm(
            normalised: try r.poisoned(rows: rows, columns: hidden),
            inverse: try r.floats([Float](repeating: .nan, count: rows), columns: rows))
          let norm = try r.norm(hidden)
          try backend.addNormSaving(x, residual: other, norm: norm, into: x, saving: saved)
          let d = try r.state(r.noise(rows * hidden), columns: hidden)
          let alone = try r.state(r.noise(rows * hidden), columns: hidden)
          let gradients = (
            gamma: try r.floats(r.noise(hidden), columns: hidden),
            beta: try r.floats(r.noise(hidden), columns: hidden)
          )
          try backend.addNormBackward(d, saved: saved, gamma: norm.gamma, gradients: gradients)
          try backend.addNormBackward(alone, saved: saved, gamma: norm.gamma, gradients: nil)
          let out = try r.poisoned(rows: rows, columns: hidden)
          let plain = try r.read(x)
          try backend.addNormSaving(other, residual: nil, norm: norm, into: out, saving: saved)
          return [
            ("out", plain), ("d", try r.read(d)), ("frozen", try r.read(alone)),
            ("gamma", try r.read(gradients.gamma)), ("beta", try r.read(gradients.beta)),
            ("no residual", try r.read(out)), ("normalised", try r.read(saved.normalised)),
            ("inverse", try r.read(saved.inverse)),
          ]
        }
        compareParts("gate \(rows) x \(hidden)", tolerance: 2 * Checks.oneRounding) { r, backend in
          let x = try r.state(r.noise(rows * hidden), columns: hidden)
          let gate = try r.floats(r.noise(hidden, scale: 0.1), columns: hidden)
          let out = try r.poisoned(rows: rows, columns: hidden)
          let opening = try r.floats([Float](repeating: .nan, count: rows), columns: rows)
          try backend.applyGateSaving(
            x, gate: gate, bias: try r.floats([0.25], columns: 1), into: out, opening: opening)
          let d = try r.state(r.noise(rows * hidden), columns: hidden)
          let gradients = (
            gate: try r.floats(r.noise(hidden), columns: hidden),
            bias: try r.floats(r.noise(1), columns: 1)
          )
          try backend.gateBackward(d, x: x, gate: gate, opening: opening, gradients: gradients)
          return [
            ("out", try r.read(out)), ("opening", try r.read(opening)), ("d", try r.read(d)),
            ("gate", try r.read(gradients.gate)), ("bias", try r.read(gradients.bias)),
          ]
        }
      }
    }
  }

  private func attentionGradients() {
    let batches = [
      [1], [3, 1, 2, 3, 3, 4, 5, 1], [40, 17, 64, 5, 128], [63, 65, 127, 129], [2, 512, 9],
    ]
    for lengths in batches {
      for (heads, size) in [(12, 64), (12, 32), (4, 8)] {
        // Probabilities and their gradients are rounded once more than the CPU's.
        compareParts(
          "attention backward \(lengths.prefix(5)), heads of \(size)",
          tolerance: 2 * Checks.oneRounding
        ) { r, backend in
          let layout = SequenceLayout(lengths: lengths)
          let hidden = heads * size
          let qkv = try r.state(r.noise(layout.rows * 3 * hidden, scale: 2), columns: 3 * hidden)
          let d = try r.state(r.noise(layout.rows * hidden), columns: hidden)
          let dqkv = try r.poisoned(rows: layout.rows, columns: 3 * hidden)
          try backend.attentionBackward(
            d, qkv: qkv, sequences: backend.place(layout), heads: heads, into: dqkv)
          let all = try r.read(dqkv)
          var parts: [(name: String, values: [Float])] = []
          for (part, name) in ["dq", "dk", "dv"].enumerated() {
            // A sequence of one token has no gradient at its query; the 1 keeps the size above 0.
            var values: [Float] = [1]
            for row in 0..<layout.rows {
              let first = (3 * row + part) * hidden
              values += all[first..<first + hidden]
            }
            parts.append((name, values))
          }
          return parts
        }
      }
    }
  }

  func biasGradients() {
    for lengths in [
      [1], [3, 1, 2, 3, 3, 4, 5, 1], [40, 17, 64, 5, 128], [63, 65, 127, 129], [2, 512, 9],
      [Int](repeating: 3, count: 3000),
    ] {
      for (heads, size) in [(12, 64), (12, 32), (4, 8)] {
        biasGradients(lengths, heads: heads, size: size)
      }
    }
  }

  private func biasGradients(_ lengths: [Int], heads: Int, size: Int) {
    compareParts(
      "bias gradients \(lengths.prefix(5)), heads of \(size)", tolerance: 2 * Checks.oneRounding
    ) { r, backend in
      let layout = SequenceLayout(lengths: lengths)
      let (hidden, span) = (heads * size, 2 * (layout.longest + 2) - 1)
      let bias = AttentionBias(
        values: try r.floats(r.noise(heads * span, scale: 2), columns: span),
        gradient: try r.floats(r.noise(heads * span), columns: span))
      let qkv = try r.state(r.noise(layout.rows * 3 * hidden, scale: 2), columns: 3 * hidden)
      let d = try r.state(r.noise(layout.rows * hidden), columns: hidden)
      let dqkv = try r.poisoned(rows: layout.rows, columns: 3 * hidden)
      try backend.attentionBackward(
        d, qkv: qkv, sequences: backend.place(layout), heads: heads, bias: bias, into: dqkv)
      guard let gradient = bias.gradient else { return [] }
      return [("dqkv", [1] + (try r.read(dqkv))), ("dbias", try r.read(gradient))]
    }
  }

  private func rowsByNumber() {
    for (rows, terms, entries, columns) in [
      (150, 1, 11, 70), (3000, 3, 1700, 384), (20_000, 1, 2, 384), (700, 1, 1, 32),
      (5, 2, 900, 768),
    ] {
      compareParts("rows by number \(rows) x \(terms) of \(entries)") { r, backend in
        let indices = (0..<rows * terms).map { _ in Int32(r.whole(below: entries + 1)) - 1 }
        let table = try r.floats(r.noise(entries * columns), columns: columns)
        let states = try r.state(r.noise(entries * columns), columns: columns)
        let d = try r.state(r.noise(rows * columns), columns: columns)
        let (out, copied) = (
          try r.poisoned(rows: rows, columns: columns), try r.poisoned(rows: rows, columns: columns)
        )
        try backend.gatherSum(table, indices: indices, terms: terms, into: out)
        try backend.gatherSum(states, indices: indices, terms: terms, into: copied)
        try backend.scatterAdd(d, indices: indices, terms: terms, to: table)
        try backend.scatterAdd(d, indices: indices, terms: terms, to: states)
        return [
          ("gathered", try r.read(out)), ("copied", try r.read(copied)),
          ("scattered", try r.read(table)), ("to states", try r.read(states)),
        ]
      }
    }
    for pooling in [Pooling.mean, .cls] {
      compareParts("pool backward \(pooling)") { r, backend in
        let layout = SequenceLayout(lengths: [1, 2, 50, 3, 300])
        let dx = try r.poisoned(rows: layout.rows, columns: 384)
        try backend.poolBackward(
          r.floats(r.noise(layout.count * 384), columns: 384), sequences: backend.place(layout),
          pooling: pooling, into: dx)
        return [("dx", try r.read(dx))]
      }
    }
  }
}
