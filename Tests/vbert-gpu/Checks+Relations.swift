import Compute
import ComputeCUDA
import GPUBench

extension Checks {
  /// The loss between attention relations, windows and long sequences mixed.
  func relations() {
    for lengths in [[1], [3, 1, 2, 5], [40, 17, 64, 3, 128], [63, 65, 129, 200]] {
      for (heads, size) in [(12, 32), (4, 64), (4, 8)] {
        for relation in Relation.allCases {
          // Differences are rounded once more than the CPU's.
          compareParts(
            "\(relation) of \(lengths), \(heads) x \(size)", tolerance: 2 * Checks.oneRounding
          ) { r, backend in
            guard let backend = backend as? any RelationBackend else {
              throw ComputeError.unsupported("relations on \(backend.name)")
            }
            let layout = SequenceLayout(lengths: lengths)
            let (count, columns) = (layout.rows * 3 * heads * size, 3 * heads * size)
            let qkv = try r.state(r.noise(count), columns: columns)
            let targets = try r.state(r.noise(count), columns: columns)
            let d = try r.state(r.noise(count, scale: 0.01), columns: columns)
            let value = try r.floats([0.5], columns: 1)
            try backend.relationLoss(
              qkv, targets: targets, relation: relation, sequences: try backend.place(layout),
              heads: heads, share: 1 / Double(layout.rows), addingTo: d, value: value)
            return [("loss", try r.read(value)), ("gradient", try r.read(d))]
          }
        }
      }
    }
  }
}
