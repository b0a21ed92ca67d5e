import Compute
import ComputeCUDA
import GPUBench

extension Checks {
  /// A tenant with bottlenecks at both sites of layer 2, LoRAs, and a head.
  static func adapter(
    _ r: Runner, hidden: Int, wide: Int, width: Int, rank: Int, labels: Int
  ) -> HostAdapter {
    func lora(_ target: LowRankTarget, _ outputs: Int, _ inputs: Int) -> HostAdapter.LowRank {
      .init(
        layer: 2, target: target, a: r.matrix(rank, inputs, bias: false),
        b: r.matrix(outputs, rank, bias: false), scale: 0.5)
    }
    return HostAdapter(
      bottlenecks: AdapterSite.allCases.map {
        .init(
          layer: 2, site: $0, down: r.matrix(width, hidden), up: r.matrix(hidden, width))
      },
      lowRanks: [
        lora(.query, hidden, hidden), lora(.up, wide, hidden), lora(.down, hidden, wide),
      ], head: r.matrix(labels, hidden))
  }

  func groups() throws {
    for hidden in [32, 384, 768] {
      for (name, widths) in [
        ("mixed", [3, 64, 100, 16, 8]), ("wide", [256, 48]), ("huge", [1000]),
      ] {
        for repeats in [1, 40] {
          try grouped(hidden, "\(name) x \(repeats)", widths, repeats)
        }
      }
    }
  }

  private func grouped(_ hidden: Int, _ name: String, _ widths: [Int], _ repeats: Int) throws {
    let wide = 4 * hidden
    /// Rows of groups with gaps, some groups without adapter; with `repeats` the batch fills the GPU.
    func placed(_ r: Runner) throws -> (any PlacedGroups, rows: Int) {
      let adapters = try widths.enumerated().map { i, width in
        try r.backend.load(
          Checks.adapter(
            r, hidden: hidden, wide: wide, width: width, rank: [4, 33, 8, 1, 16][i],
            labels: [3, 1, 37, 77, 2][i]))
      }
      var (groups, row): ([RowGroup], Int) = ([], 0)
      for i in 0..<widths.count * repeats {
        let count = [61, 128, 9, 64, 1, 200, 17][i % 7]
        groups.append(
          RowGroup(rows: row..<row + count, adapter: i % 6 == 5 ? nil : adapters[i % widths.count]))
        row += count + (i % 3 == 1 ? 2 : 0)
      }
      return (try r.backend.place(groups), row + 5)
    }
    let title = "\(hidden) \(name)"
    compare("bottleneck \(title)") { r in
      let (groups, rows) = try placed(r)
      let x = try r.state(r.noise(rows * hidden), columns: hidden)
      try r.backend.applyBottlenecks(x, groups: groups, layer: 2, site: .attention)
      try r.backend.applyBottlenecks(x, groups: groups, layer: 3, site: .attention)
      return try r.read(x)
    }
    compare("addNorm and bottleneck \(title)") { r in
      let (groups, rows) = try placed(r)
      let x = try r.state(r.noise(rows * hidden), columns: hidden)
      let residual = try r.state(r.noise(rows * hidden), columns: hidden)
      let out = try r.poisoned(rows: rows, columns: hidden)
      let norm = try r.norm(hidden)
      try r.backend.addNorm(x, residual: residual, norm: norm, into: out)
      try r.backend.applyBottlenecks(out, groups: groups, layer: 2, site: .ffn)
      let apart = try r.read(out)
      for target in [out, x] {
        try r.backend.addNorm(
          x, residual: residual, norm: norm, groups: groups, layer: 2, site: .ffn, into: target)
        guard try r.read(target) == apart else {
          throw ComputeError.device("differs from two steps")
        }
      }
      return apart
    }
    for (target, inputs, outputs) in [
      (LowRankTarget.query, hidden, hidden), (.up, hidden, wide), (.down, wide, hidden),
    ] {
      compare("lowRank \(target) \(title)") { r in
        let (groups, rows) = try placed(r)
        let x = try r.state(r.noise(rows * inputs), columns: inputs)
        let out = try r.state(r.noise(rows * (outputs + 64)), columns: outputs + 64)
        try r.backend.addLowRanks(
          x, groups: groups, layer: 2, target: target, into: out.columns(32..<32 + outputs))
        return try r.read(out)
      }
    }
    compare("heads \(title)") { r in
      let (groups, rows) = try placed(r)
      let x = try r.state(r.noise(rows * hidden), columns: hidden)
      let out = try r.floats([Float](repeating: 7, count: rows * 80), columns: 80)
      try r.backend.applyHeads(x, groups: groups, into: out)
      return try r.read(out)
    }
  }

  func ends() throws {
    for hidden in [32, 384, 768] {
      for pooling in Pooling.allCases {
        for type in [ElementType.float32, gpu.activationType] {
          compare("pool \(pooling) \(hidden) into \(type)") { r in
            let layout = SequenceLayout(lengths: [1, 2, 50, 3, 300, 128])
            let x = try r.state(r.noise(layout.rows * hidden), columns: hidden)
            let out = try r.tensor(
              [Float](repeating: .nan, count: layout.count * hidden), columns: hidden,
              type: type == .float32 ? .float32 : r.backend.activationType)
            try r.backend.pool(
              x, sequences: r.backend.place(layout), pooling: pooling, into: out)
            return try r.read(out)
          }
        }
      }
    }
    compare("memory", tolerance: 0) { r in
      let values = r.noise(100_000)
      var read: [Float] = []
      for type in [ElementType.float32, .bfloat16, .float16] {
        read += try r.read(r.tensor(values, columns: 1000, type: type))
      }
      return read
    }
    do {
      _ = try gpu.allocate(byteCount: 1 << 45)
      fail("out of memory", "32 TB were given")
    } catch ComputeError.outOfMemory { report("out of memory", error: 0, tolerance: 0) }
  }
}
