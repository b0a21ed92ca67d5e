internal import Compute
internal import ComputeCUDA
internal import Foundation
internal import Model

extension GPUBench {
  /// Where a layer's time goes: every operation by itself on 131,072 and 4,096 rows, with the bytes and
  /// floating-point operations that it cannot do without.
  func operations(_ model: BenchModel, _ residents: Residents) throws {
    for sequences in [1024, 32, 1] {
      try operations(model, residents, sequences: sequences, length: 128)
    }
  }

  private func operations(
    _ model: BenchModel, _ residents: Residents, sequences: Int, length: Int
  ) throws {
    let (hidden, wide) = (model.configuration.hiddenSize, model.configuration.intermediateSize)
    let rows = sequences * length
    let r = Runner(lane, seed: 9)
    func state(_ columns: Int) throws -> Tensor {
      let tensor = try r.poisoned(rows: rows, columns: columns)
      let noise = r.noise(min(rows, 1024) * columns)
      for first in stride(from: 0, to: rows, by: 1024) {
        let part = tensor.rows(first..<min(first + 1024, rows))
        unsafe try noise.withUnsafeBufferPointer {
          unsafe try lane.upload(UnsafeBufferPointer(rebasing: $0[..<part.count]), to: part)
        }
      }
      return tensor
    }
    let (x, y, z) = (try state(hidden), try state(hidden), try state(hidden))
    let (qkv, w) = (try state(3 * hidden), try state(wide))
    let norm = try r.norm(hidden)
    let layout = SequenceLayout(lengths: [Int](repeating: length, count: sequences))
    let groups = try lane.place(
      (0..<sequences).map {
        RowGroup(
          rows: layout.rows(of: $0), adapter: residents.adapters[$0 * 7 % residents.adapters.count])
      })
    let unit = Double(rows * hidden * 2)
    func report(
      _ name: String, bytes: Double, flops: Double, _ body: () throws(ComputeError) -> Void
    )
      throws
    {
      for _ in 0..<3 { try body() }
      var times: [Float] = []
      for _ in 0..<7 {
        times.append(
          try lane.time { () throws(ComputeError) in for _ in 0..<10 { try body() } } / 10)
      }
      let ms = Double(times.sorted()[3])
      add(
        BenchReport.Operation(
          name: name, rows: rows, milliseconds: ms, gigabytesPerSecond: bytes / ms / 1e6,
          teraflops: flops / ms / 1e9))
    }
    func product(_ name: String, _ from: Tensor, _ to: Tensor, _ activation: Activation = .none)
      throws
    {
      let matrix = try lane.prepare(r.matrix(to.columns, from.columns))
      let values = Double(rows * (from.columns + to.columns) + from.columns * to.columns)
      try report(name, bytes: 2 * values, flops: 2 * Double(rows * from.columns * to.columns)) {
        () throws(ComputeError) in
        try lane.matmul(from, matrix, activation: activation, into: to)
      }
    }
    try product("query key value", x, qkv)
    let chosen = lane.warpgroups
    for warpgroups in 0...chosen {
      lane.warpgroups = warpgroups
      let placed = try lane.place(layout)
      let kernel = ["portable", "one warpgroup", "two warpgroups"][warpgroups]
      try report(
        "attention, \(kernel)", bytes: 4 * unit, flops: 4 * Double(rows * length * hidden)
      ) { () throws(ComputeError) in
        try lane.attention(qkv, sequences: placed, heads: model.configuration.headCount, into: y)
      }
    }
    lane.warpgroups = chosen
    try product("output", y, x)
    try report("addNorm", bytes: 3 * unit, flops: 0) { () throws(ComputeError) in
      try lane.addNorm(x, residual: y, norm: norm, into: x)
    }
    let layer = model.configuration.upperLayers.lowerBound
    try report(
      "bottleneck", bytes: 2 * unit + Double(sequences * 4 * 64 * hidden),
      flops: 4 * Double(rows * 64 * hidden)
    ) { () throws(ComputeError) in
      try lane.applyBottlenecks(y, groups: groups, layer: layer, site: .attention)
    }
    try report(
      "addNorm and bottleneck", bytes: 3 * unit + Double(sequences * 4 * 64 * hidden),
      flops: 4 * Double(rows * 64 * hidden)
    ) { () throws(ComputeError) in
      try lane.addNorm(
        x, residual: y, norm: norm, groups: groups, layer: layer, site: .attention, into: y)
    }
    let matrix = try lane.prepare(r.matrix(hidden, hidden))
    let weights = Double(2 * hidden * (sequences * 2 * 64 + hidden))
    try report(
      "output, norm, bottleneck",
      bytes: 6 * unit + weights, flops: Double(2 * rows * hidden * (hidden + 128))
    ) { () throws(ComputeError) in
      try lane.matmulAddNorm(
        y, matrix, residual: z, norm: norm, groups: groups,
        layer: layer, site: .attention, into: x)
    }
    try product("up, GELU", x, w, .gelu)
    try product("up", x, w)
    try report("GELU by itself", bytes: Double(4 * rows * wide), flops: 0) {
      () throws(ComputeError) in try lane.applyGELU(w)
    }
    try product("down", w, x)
    let back = try lane.prepare(r.matrix(hidden, wide))
    try report(
      "down, norm", bytes: 8 * unit + Double(2 * hidden * wide),
      flops: Double(2 * rows * hidden * wide)
    ) { () throws(ComputeError) in
      try lane.matmulAddNorm(
        w, back, residual: z, norm: norm, groups: nil, layer: layer, site: .ffn, into: x)
    }
  }
}
