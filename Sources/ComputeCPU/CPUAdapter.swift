internal import CSIMD
internal import Compute

/// A tenant's parameters, packed like the base's matrices.
final class CPUAdapter: ResidentAdapter {
  struct Place: Hashable {
    var layer: Int
    var site: AdapterSite
  }
  struct Target: Hashable {
    var layer: Int
    var target: LowRankTarget
  }
  /// Two maps in a row: down and up of a bottleneck, A and B of a LoRA.
  struct Pair {
    let first: PackedMatrix
    let second: PackedMatrix
  }

  let bottlenecks: [Place: Pair]
  let lowRanks: [Target: Pair]
  let head: PackedMatrix?
  let byteCount: Int

  init(_ adapter: HostAdapter, backend: CPUBackend) throws(ComputeError) {
    var bottlenecks: [Place: Pair] = [:]
    var lowRanks: [Target: Pair] = [:]
    let matrices =
      adapter.bottlenecks.flatMap { [$0.down, $0.up] }
      + adapter.lowRanks.flatMap { [$0.a, $0.b] } + [adapter.head].compactMap(\.self)
    let byteCount = matrices.reduce(0) { sum, matrix in
      sum + ((PackedMatrix.byteCount(matrix, backend: backend) + 63) & ~63)
    }
    var arena = WeightArena(pieceBytes: byteCount)
    func pack(_ matrix: HostMatrix, scale: Float = 1) throws(ComputeError) -> PackedMatrix {
      try PackedMatrix(matrix, scale: scale, backend: backend, arena: &arena)
    }
    for one in adapter.bottlenecks {
      precondition(one.down.outputs == one.up.inputs && one.down.inputs == one.up.outputs)
      bottlenecks[Place(layer: one.layer, site: one.site)] =
        Pair(first: try pack(one.down), second: try pack(one.up))
    }
    for one in adapter.lowRanks {
      precondition(one.a.outputs == one.b.inputs)
      lowRanks[Target(layer: one.layer, target: one.target)] =
        Pair(first: try pack(one.a), second: try pack(one.b, scale: one.scale))
    }
    self.bottlenecks = bottlenecks
    self.lowRanks = lowRanks
    if let matrix = adapter.head { head = try pack(matrix) } else { head = nil }
    self.byteCount = byteCount
  }
}
