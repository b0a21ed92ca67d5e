internal import Compute

/// A run of n-gram rows on its way to the merge kernel: every row's address as the kernel reads it
/// (the format's number in the top byte, 0 for a row of zeros), and the rows that lie in host memory
/// and must be copied first.
struct NGramStaging {
  private(set) var addresses: [UInt64] = []
  /// Indices into `addresses` of the rows to copy; their entries are offsets into the copy yet.
  private(set) var copies: [(index: Int, source: UInt, bytes: Int)] = []
  /// Bytes of the copy; rows in it are aligned to 16.
  private(set) var byteCount = 0

  /// Takes rows from `rows` until the copy would exceed `capacity` bytes. Rows whose address lies in
  /// `resident` device memory stay where they are.
  init(_ rows: ArraySlice<NGramRow>, hidden: Int, resident: AddressRanges, capacity: Int) {
    addresses.reserveCapacity(rows.count)
    // Rows mostly lie in one table: its range is remembered.
    var table: Range<UInt> = 0..<0
    for row in rows {
      guard row.address != 0 else {
        addresses.append(0)
        continue
      }
      let tag = NGramStaging.tag(row.type) << 56
      if !table.contains(row.address) { table = resident.range(containing: row.address) ?? 0..<0 }
      if table.contains(row.address) {
        addresses.append(UInt64(row.address) | tag)
        continue
      }
      let bytes = NGramRow.byteCount(hidden: hidden, type: row.type)
      if byteCount + bytes > capacity { break }
      copies.append((addresses.count, row.address, bytes))
      addresses.append(UInt64(byteCount) | tag)
      byteCount += (bytes + 15) & ~15
    }
  }

  /// Copies the host rows into `memory`, whose bytes go on to device address `address`.
  mutating func stage(into memory: UnsafeMutableRawBufferPointer, at address: UInt) {
    for (index, source, bytes) in copies {
      let offset = Int(addresses[index] & 0x00FF_FFFF_FFFF_FFFF)
      let row = unsafe UnsafeRawBufferPointer(
        start: UnsafeRawPointer(bitPattern: source), count: bytes)
      unsafe UnsafeMutableRawBufferPointer(rebasing: memory[offset..<offset + bytes])
        .copyMemory(from: row)
      addresses[index] += UInt64(address)
    }
    copies = []
  }

  private static func tag(_ type: ElementType) -> UInt64 {
    switch type {
    case .float32: 0
    case .float16: 1
    case .bfloat16: 2
    case .int8: 3
    case .int32: preconditionFailure("n-gram rows are numbers")
    }
  }
}
