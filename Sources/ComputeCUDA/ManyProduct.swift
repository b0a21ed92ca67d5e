internal import Compute

/// One of the products that kernels/manyProducts.cu computes in one launch: c = a b, a and b lying as
/// the kernel's name says.
struct ManyProduct {
  let a, b, c: Tensor
  let inner: Int
  /// Addresses, or 0.
  var bias: UInt = 0
  var sums: UInt = 0

  /// As the kernels read it.
  struct Item: BitwiseCopyable {
    var a, b, c, bias, sums: UInt
    var rows, columns, inner, aStride, bStride, cStride: Int32
  }

  /// A block's tile of a result.
  struct Place: BitwiseCopyable, Equatable {
    var item, row, column: Int32
  }

  static let side = 64

  var item: Item {
    Item(
      a: a.address, b: b.address, c: c.address, bias: bias, sums: sums, rows: Int32(c.rows),
      columns: Int32(c.columns), inner: Int32(inner), aStride: Int32(a.stride),
      bStride: Int32(b.stride), cStride: Int32(c.stride))
  }

  /// Tiles that cover the result once. Those of one stripe of a are neighbours, so that it is read
  /// from memory once.
  func addPlaces(number: Int, to places: inout [Place]) {
    for row in stride(from: 0, to: c.rows, by: ManyProduct.side) {
      for column in stride(from: 0, to: c.columns, by: ManyProduct.side) {
        places.append(Place(item: Int32(number), row: Int32(row), column: Int32(column)))
      }
    }
  }
}
