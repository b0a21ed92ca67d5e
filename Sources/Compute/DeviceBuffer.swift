/// The one owner of a run of device memory; it is freed when the owner goes.
///
/// Operations never take a buffer but a `Tensor`, an unowned view: who owns and who looks is
/// decided once, where the memory is taken.
package struct DeviceBuffer: ~Copyable, Sendable {
  /// Device address of the first byte; aligned to 64 bytes or better. 0 where `byteCount` is 0.
  package let address: UInt
  package let byteCount: Int
  private let free: @Sendable (UInt) -> Void

  package init(address: UInt, byteCount: Int, free: @escaping @Sendable (UInt) -> Void) {
    self.address = address
    self.byteCount = byteCount
    self.free = free
  }

  deinit { if address != 0 { free(address) } }

  /// A view of [rows, columns] elements that starts `offset` bytes into the buffer.
  package func tensor(
    rows: Int, columns: Int, type: ElementType = .float32, offset: Int = 0
  ) -> Tensor {
    precondition(offset >= 0 && offset + rows * columns * type.byteCount <= byteCount)
    return Tensor(address: address + UInt(offset), rows: rows, columns: columns, type: type)
  }
}
