/// A matrix in device memory that somebody else owns: row-major, `stride` elements from one row to
/// the next. It must not outlive the `DeviceBuffer` or `Workspace` that it was taken from.
package struct Tensor: Sendable, Hashable {
  /// Device address of element (0, 0).
  package var address: UInt
  package var rows: Int
  package var columns: Int
  package var stride: Int
  package var type: ElementType

  package init(
    address: UInt, rows: Int, columns: Int, stride: Int? = nil, type: ElementType = .float32
  ) {
    self.address = address
    self.rows = rows
    self.columns = columns
    self.stride = stride ?? columns
    self.type = type
  }

  package var count: Int { rows * columns }
  package var isContiguous: Bool { stride == columns || rows <= 1 }

  /// The rows of `range`, sharing memory.
  package func rows(_ range: Range<Int>) -> Tensor {
    precondition(range.lowerBound >= 0 && range.upperBound <= rows)
    var view = self
    view.address += UInt(range.lowerBound * stride * type.byteCount)
    view.rows = range.count
    return view
  }

  /// The columns of `range`, sharing memory; the stride stays.
  package func columns(_ range: Range<Int>) -> Tensor {
    precondition(range.lowerBound >= 0 && range.upperBound <= columns)
    var view = self
    view.address += UInt(range.lowerBound * type.byteCount)
    view.columns = range.count
    return view
  }
}
