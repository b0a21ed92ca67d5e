/// Scratch memory of a fixed size for the activations of one batch: taken piece by piece, given back
/// all at once. It is sized from the token budget, so that serving never allocates.
package final class Workspace {
  private let buffer: DeviceBuffer
  private var used = 0

  package init(backend: any Backend, byteCount: Int) throws(ComputeError) {
    buffer = try backend.allocate(byteCount: byteCount)
  }

  package var byteCount: Int { buffer.byteCount }
  /// Bytes handed out since the last reset; a mark to `reset(to:)`.
  package var mark: Int { used }

  /// A contiguous [rows, columns] tensor whose contents are undefined, aligned to 64 bytes.
  /// Traps when the workspace is too small: its owner computed the size.
  package func take(rows: Int, columns: Int, type: ElementType = .float32) -> Tensor {
    let tensor = buffer.tensor(rows: rows, columns: columns, type: type, offset: used)
    used += Workspace.bytes(rows: rows, columns: columns, type: type)
    return tensor
  }

  /// Gives back everything taken since `mark`.
  package func reset(to mark: Int = 0) { used = mark }

  /// Bytes that `take` uses up for such a tensor.
  package static func bytes(rows: Int, columns: Int, type: ElementType = .float32) -> Int {
    (rows * columns * type.byteCount + 63) & ~63
  }
}
