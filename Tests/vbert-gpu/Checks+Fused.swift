import Compute
import GPUBench

extension Checks {
  /// Two roundings of every value instead of one.
  private static let twoRoundings = 0.006

  /// Operations that a device may make one of, beside the steps that they stand for on the CPU.
  func fused() throws {
    for hidden in [32, 384, 768] {
      for rows in [1, 100, 1000] {
        for inputs in [hidden, 4 * hidden] {
          compare(
            "matmulAddNorm \(rows) x \(hidden) x \(inputs)", tolerance: Checks.twoRoundings
          ) { r in try closed(r, rows: rows, hidden: hidden, inputs: inputs, adapted: nil) }
          compare(
            "matmulAddNorm and bottleneck \(rows) x \(hidden) x \(inputs)",
            tolerance: Checks.twoRoundings
          ) { r in
            try closed(r, rows: rows, hidden: hidden, inputs: inputs, adapted: 0..<rows - rows / 4)
          }
        }
      }
      compare("enter \(hidden)", tolerance: Checks.twoRoundings) { r in
        let layout = SequenceLayout(lengths: [1, 2, 40, 7, 128, 1])
        let table = r.noise(layout.rows * 3 * hidden)
        let tables = EmbeddingTables(
          word: nil, position: try r.floats(r.noise(128 * hidden), columns: hidden),
          tokenType: try r.floats(r.noise(2 * hidden), columns: hidden))
        let out = try r.poisoned(rows: layout.rows, columns: hidden)
        unsafe try table.withUnsafeBufferPointer { table in
          let start = UInt(bitPattern: table.baseAddress)
          try r.backend.enter(
            (0..<layout.rows).map {
              $0 % 9 == 4
                ? .zero
                : NGramRow(address: start + UInt($0 * 3 * hidden * 4), type: .float32)
            }, types: try Indices((0..<layout.rows).map { Int32($0 % 2) }, below: 2),
            sequences: r.backend.place(layout), tables: tables, norm: r.norm(hidden), into: out)
        }
        return try r.read(out)
      }
    }
  }

  /// `adapted`: rows that have a bottleneck; nil: no groups at all.
  private func closed(
    _ r: Runner, rows: Int, hidden: Int, inputs: Int, adapted: Range<Int>?
  ) throws -> [Float] {
    let x = try r.state(r.noise(rows * inputs), columns: inputs)
    let matrix = try r.backend.prepare(r.matrix(hidden, inputs))
    let residual = try r.state(r.noise(rows * hidden), columns: hidden)
    let out = try r.poisoned(rows: rows, columns: hidden)
    let groups = try adapted.map { adapted in
      try r.backend.place([
        RowGroup(
          rows: adapted,
          adapter: try r.backend.load(
            HostAdapter(bottlenecks: [
              .init(
                layer: 1, site: .attention, down: r.matrix(48, hidden, scale: 0.05),
                up: r.matrix(hidden, 48, scale: 0.05))
            ])))
      ])
    }
    try r.backend.matmulAddNorm(
      x, matrix, residual: residual, norm: r.norm(hidden), groups: groups, layer: 1,
      site: .attention, into: out)
    return try r.read(out)
  }
}
