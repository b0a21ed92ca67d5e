internal import Compute

/// Memory for matrices that come and go together, the base's or one adapter's: put one behind the
/// other, so that a base lies in large pages and an adapter in one run. A piece is freed with the
/// last matrix in it.
struct WeightArena: Sendable {
  /// A run of bytes and the owner that keeps it.
  struct Run: Sendable {
    let owner: Piece
    let offset: Int
    let byteCount: Int

    var floats: Tensor {
      owner.buffer.tensor(rows: 1, columns: byteCount / 4, offset: offset)
    }
  }

  final class Piece: Sendable {
    let buffer: DeviceBuffer
    init(_ buffer: consuming DeviceBuffer) { self.buffer = buffer }
  }

  /// Least size of a piece.
  let pieceBytes: Int
  private var current: Piece?
  private var used = 0

  init(pieceBytes: Int) { self.pieceBytes = pieceBytes }

  mutating func take(byteCount: Int, from backend: CPUBackend) throws(ComputeError) -> Run {
    let rounded = (byteCount + 63) & ~63
    if let current, used + rounded <= current.buffer.byteCount {
      used += rounded
      return Run(owner: current, offset: used - rounded, byteCount: byteCount)
    }
    let piece = Piece(try backend.allocate(byteCount: max(pieceBytes, rounded)))
    current = piece
    used = rounded
    return Run(owner: piece, offset: 0, byteCount: byteCount)
  }
}
