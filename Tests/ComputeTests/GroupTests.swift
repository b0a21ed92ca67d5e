import Compute
import ComputeCPU
import Testing

/// Adapters and heads of many vBERTs in one batch.
@Suite struct GroupTests {
  static let hidden = 40

  private func matrix(_ bench: Bench, _ outputs: Int, _ inputs: Int, bias: Bool) -> HostMatrix {
    HostMatrix(
      weight: bench.noise(outputs * inputs, scale: 0.3), bias: bias ? bench.noise(outputs) : nil,
      outputs: outputs, inputs: inputs)
  }

  private func bottleneck(
    _ bench: Bench, width: Int, layer: Int, site: AdapterSite
  ) -> HostAdapter.Bottleneck {
    HostAdapter.Bottleneck(
      layer: layer, site: site, down: matrix(bench, width, Self.hidden, bias: true),
      up: matrix(bench, Self.hidden, width, bias: true))
  }

  /// Every width, either site, with gaps between groups, empty rows and rows without an adapter.
  private func adapters(_ bench: Bench) -> [HostAdapter?] {
    let hidden = Self.hidden
    return [
      HostAdapter(
        bottlenecks: [
          bottleneck(bench, width: 3, layer: 2, site: .attention),
          bottleneck(bench, width: 64, layer: 2, site: .ffn),
        ],
        lowRanks: [
          .init(
            layer: 2, target: .query, a: matrix(bench, 4, hidden, bias: false),
            b: matrix(bench, 24, 4, bias: false), scale: 2)
        ], head: matrix(bench, 3, hidden, bias: true)),
      nil,
      HostAdapter(
        bottlenecks: [bottleneck(bench, width: 601, layer: 2, site: .attention)],
        head: matrix(bench, 1, hidden, bias: true)),
      HostAdapter(),
      HostAdapter(
        bottlenecks: [bottleneck(bench, width: 8, layer: 3, site: .attention)],
        lowRanks: [
          .init(
            layer: 2, target: .query, a: matrix(bench, 33, hidden, bias: false),
            b: matrix(bench, 24, 33, bias: false), scale: -0.5),
          .init(
            layer: 2, target: .down, a: matrix(bench, 1, hidden, bias: false),
            b: matrix(bench, 24, 1, bias: false), scale: 1),
        ], head: matrix(bench, 37, hidden, bias: true)),
    ]
  }

  private static let rows: [Range<Int>] = [0..<61, 61..<70, 72..<73, 73..<90, 90..<240]
  private static let count = 245

  private func groups(_ bench: Bench, _ adapters: [HostAdapter?]) throws -> [RowGroup] {
    try zip(Self.rows, adapters).map { rows, adapter in
      RowGroup(rows: rows, adapter: try adapter.map { try bench.backend.load($0) })
    }
  }

  @Test(arguments: BackendUnderTest.all)
  func bottlenecks(_ under: BackendUnderTest) throws {
    let bench = try under.bench()
    let hidden = Self.hidden
    let adapters = adapters(bench)
    let placed = try bench.backend.place(groups(bench, adapters))
    for (layer, site) in [(2, AdapterSite.attention), (2, .ffn), (3, .attention), (4, .ffn)] {
      let values = bench.noise(Self.count * hidden)
      let x = try bench.tensor(values, rows: Self.count, columns: hidden)
      try bench.backend.applyBottlenecks(x, groups: placed, layer: layer, site: site)
      var expected = doubles(values)
      for (rows, adapter) in zip(Self.rows, adapters) {
        let one = adapter?.bottlenecks.first { $0.layer == layer && $0.site == site }
        guard let one else { continue }
        let range = rows.lowerBound * hidden..<rows.upperBound * hidden
        let down = Reference.linear(Array(expected[range]), rows: rows.count, one.down)
        let up = Reference.linear(down.map(Reference.gelu), rows: rows.count, one.up)
        for (i, value) in zip(range, up) { expected[i] += value }
      }
      #expect(difference(try bench.read(x), expected) < 1e-5, "layer \(layer), \(site)")
    }
  }

  @Test(arguments: BackendUnderTest.all)
  func lowRanks(_ under: BackendUnderTest) throws {
    let bench = try under.bench()
    let hidden = Self.hidden
    let adapters = adapters(bench)
    let placed = try bench.backend.place(groups(bench, adapters))
    #expect(placed.hasLowRank(layer: 2, target: .query))
    #expect(!placed.hasLowRank(layer: 2, target: .value))
    #expect(!placed.hasLowRank(layer: 1, target: .query))
    for target in [LowRankTarget.query, .down, .value] {
      let x = bench.noise(Self.count * hidden)
      let base = bench.noise(Self.count * 72)
      let wide = try bench.tensor(base, rows: Self.count, columns: 72)
      try bench.backend.addLowRanks(
        bench.tensor(x, rows: Self.count, columns: hidden), groups: placed, layer: 2,
        target: target, into: wide.columns(24..<48))
      var expected = doubles(base)
      for (rows, adapter) in zip(Self.rows, adapters) {
        guard let one = adapter?.lowRanks.first(where: { $0.target == target }) else { continue }
        let range = rows.lowerBound * hidden..<rows.upperBound * hidden
        let a = Reference.linear(doubles(Array(x[range])), rows: rows.count, one.a)
        let b = Reference.linear(a, rows: rows.count, one.b)
        for (r, row) in rows.enumerated() {
          for c in 0..<24 { expected[row * 72 + 24 + c] += Double(one.scale) * b[r * 24 + c] }
        }
      }
      #expect(difference(try bench.read(wide), expected) < 2e-5, "\(target)")
    }
  }

  @Test(arguments: BackendUnderTest.all)
  func heads(_ under: BackendUnderTest) throws {
    let bench = try under.bench()
    let hidden = Self.hidden
    let adapters = adapters(bench)
    let placed = try bench.backend.place(groups(bench, adapters))
    let x = bench.noise(Self.count * hidden)
    let out = try bench.tensor(
      [Float](repeating: 7, count: Self.count * 50), rows: Self.count, columns: 50)
    try bench.backend.applyHeads(
      bench.tensor(x, rows: Self.count, columns: hidden), groups: placed, into: out)
    var expected = [Double](repeating: 7, count: Self.count * 50)
    for (rows, adapter) in zip(Self.rows, adapters) {
      guard let head = adapter?.head else { continue }
      let range = rows.lowerBound * hidden..<rows.upperBound * hidden
      let logits = Reference.linear(doubles(Array(x[range])), rows: rows.count, head)
      for (r, row) in rows.enumerated() {
        for c in 0..<head.outputs { expected[row * 50 + c] = logits[r * head.outputs + c] }
      }
    }
    #expect(difference(try bench.read(out), expected) < 1e-5)
  }

  /// A tenant's rows come out the same to the bit, alone or among others.
  @Test(arguments: BackendUnderTest.all)
  func aGroupAloneEqualsTheGroupInABatch(_ under: BackendUnderTest) throws {
    let bench = try under.bench()
    let values = bench.noise(Self.count * Self.hidden)
    let groups = try groups(bench, adapters(bench))
    let together = try bench.tensor(values, rows: Self.count, columns: Self.hidden)
    try bench.backend.applyBottlenecks(
      together, groups: bench.backend.place(groups), layer: 2, site: .attention)
    let alone = try bench.tensor(values, rows: Self.count, columns: Self.hidden)
    for group in groups {
      let single = RowGroup(rows: 0..<group.rows.count, adapter: group.adapter)
      try bench.backend.applyBottlenecks(
        alone.rows(group.rows), groups: bench.backend.place([single]), layer: 2, site: .attention)
    }
    #expect(try bench.read(together) == bench.read(alone))
  }
}
