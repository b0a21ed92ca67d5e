import Compute
import ComputeCUDA
import GPUBench
import Model

extension Checks {
  /// A whole skip model with adapters: the GPU beside the CPU; and every sequence alone, and first
  /// rows by themselves, beside the batch, whose bits must be the same.
  func sameAlone() throws {
    for (name, configuration) in [("miniLM", Configuration.miniLM), ("base", .base)] {
      let lengths = [35, 128, 7, 1, 64, 65, 12, 90, 33, 17, 50, 3, 28, 100, 9, 40]
      let source = RandomWeights(configuration: configuration)
      let (hidden, layout) = (configuration.hiddenSize, SequenceLayout(lengths: lengths))
      func sequences(_ r: Runner) -> [(ids: [Int32], types: [Int32])] {
        lengths.map { n in
          ((0..<n).map { _ in Int32(r.whole(below: 1000)) }, (0..<n).map { Int32($0 * 2 / n) })
        }
      }
      func tenant(_ r: Runner, _ i: Int) throws -> any ResidentAdapter {
        try r.backend.load(
          HostAdapter(
            bottlenecks: configuration.upperLayers.map { layer in
              .init(
                layer: layer, site: .attention,
                down: r.matrix([64, 16, 40][i], hidden, scale: 0.05),
                up: r.matrix(hidden, [64, 16, 40][i], scale: 0.05))
            }))
      }
      /// States of the batch and of every sequence alone; of first rows likewise.
      func states(_ r: Runner) throws -> (
        together: [Float], alone: [Float], firsts: [Float], firstsAlone: [Float]
      ) {
        let base = try BaseModel(source: source, configuration: configuration, backend: r.backend)
        let upper = try UpperEncoder(base: base, backend: r.backend, tokenBudget: layout.rows)
        let tenants = try (0..<3).map { try tenant(r, $0) }
        let table = r.noise(layout.rows * 3 * hidden, scale: 0.3)
        return unsafe try table.withUnsafeBufferPointer { table in
          let start = UInt(bitPattern: table.baseAddress)
          let rows = (0..<layout.rows).map {
            NGramRow(address: start + UInt($0 * 3 * hidden * 4), type: .float32)
          }
          let all = sequences(r)
          func run(_ range: Range<Int>, firstRows: Bool = false) throws -> [Float] {
            let batch = try PackedBatch(Array(all[range]), for: configuration)
            let first = layout.rows(of: range.lowerBound).lowerBound
            let groups = range.map { i in
              RowGroup(
                rows: batch.layout.rows(of: i - range.lowerBound),
                adapter: i % 4 == 3 ? nil : tenants[i % 3])
            }
            let own = Array(rows[first..<first + batch.layout.rows])
            let sequences = try r.backend.place(batch.layout)
            guard firstRows else {
              return try r.read(
                upper.states(
                  of: batch, rows: own, sequences: sequences, groups: r.backend.place(groups)))
            }
            let single = groups.enumerated().map {
              RowGroup(rows: $0..<$0 + 1, adapter: $1.adapter)
            }
            return try r.read(
              upper.firstStates(
                of: batch, rows: own, sequences: sequences, groups: r.backend.place(groups),
                firstGroups: r.backend.place(single)))
          }
          let (whole, each) = (0..<lengths.count, lengths.indices.map { $0..<$0 + 1 })
          return (
            try run(whole), try each.flatMap { try run($0) },
            try run(whole, firstRows: true), try each.flatMap { try run($0, firstRows: true) }
          )
        }
      }
      let expected = try states(Runner(cpu, seed: 3)).together
      let found = try states(Runner(gpu, seed: 3))
      report(
        "\(name), whole model", error: relativeError(found.together, expected), tolerance: 3e-2)
      report(
        "\(name), alone beside together", error: relativeError(found.alone, found.together),
        tolerance: 0)
      let firsts = (0..<layout.count).flatMap { i in
        found.together[(layout.rows(of: i).lowerBound * hidden)...].prefix(hidden)
      }
      report("\(name), first rows", error: relativeError(found.firsts, firsts), tolerance: 0)
      report(
        "\(name), first rows alone", error: relativeError(found.firstsAlone, firsts), tolerance: 0)
    }
  }
}
