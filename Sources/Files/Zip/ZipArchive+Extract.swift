internal import CZlib

extension ZipArchive {
  /// The entry's bytes. Throws `entryTooLarge` above `limit`, and `ArchiveError` for damage.
  package func bytes(of entry: Entry, limit: Int) throws -> [UInt8] {
    guard entry.byteCount <= limit else {
      throw ArchiveError.entryTooLarge(
        path: path, name: entry.name, bytes: entry.byteCount, limit: limit)
    }
    var bytes: [UInt8] = []
    try unsafe unpack(entry) { unsafe bytes.append(contentsOf: $0) }
    return bytes
  }

  /// Writes the entry to a file that appears only when its checksum holds. Throws `ArchiveError` and
  /// what the disk says.
  package func extract(_ entry: Entry, to target: String) throws {
    var file = try AtomicFile(replacing: target)
    try append(entry, to: &file)
    try file.commit()
  }

  /// Writes the entry behind what `file` has. Throws as `extract` does.
  func append(_ entry: Entry, to file: inout AtomicFile) throws {
    try unsafe unpack(entry) { try unsafe file.append($0) }
  }

  /// Hands out the unpacked bytes in pieces; `byteCount` in all, or it throws.
  private func unpack(
    _ entry: Entry, _ body: (UnsafeRawBufferPointer) throws -> Void
  ) throws {
    guard !entry.isEncrypted else {
      throw ArchiveError.unsupported(path: path, what: "\(entry.name) is encrypted")
    }
    var crc: UInt = 0
    var total = 0
    func emit(_ piece: UnsafeRawBufferPointer) throws {
      total += piece.count
      guard total <= entry.byteCount else {
        throw ArchiveError.corrupt(path: path, what: "\(entry.name) is larger than it claims")
      }
      unsafe crc = crc32_z(
        crc, piece.baseAddress?.assumingMemoryBound(to: UInt8.self), piece.count)
      try unsafe body(piece)
    }
    try unsafe file.withBytes { (all) throws in
      let packed = unsafe UnsafeRawBufferPointer(rebasing: all[entry.range])
      if entry.isDeflated {
        try unsafe inflate(packed, name: entry.name, emit)
      } else {
        try unsafe emit(packed)
      }
    }
    guard total == entry.byteCount, crc == UInt(entry.crc) else {
      throw ArchiveError.corrupt(path: path, what: "the checksum of \(entry.name) does not match")
    }
  }

  private func inflate(
    _ packed: UnsafeRawBufferPointer, name: String, _ emit: (UnsafeRawBufferPointer) throws -> Void
  ) throws {
    guard var inflater = Inflater(.raw) else {
      throw ArchiveError.noMemory(path: path)
    }
    let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 64)
    defer { unsafe piece.deallocate() }
    var rest = unsafe packed
    while true {
      guard let step = unsafe inflater.step(from: rest, into: piece) else {
        throw ArchiveError.corrupt(path: path, what: "\(name) is invalid")
      }
      try unsafe emit(UnsafeRawBufferPointer(rebasing: piece[..<step.produced]))
      unsafe rest = UnsafeRawBufferPointer(rebasing: rest[step.consumed...])
      if step.ended {
        guard unsafe rest.isEmpty else {
          throw ArchiveError.corrupt(path: path, what: "\(name) is shorter than it claims")
        }
        return
      }
      guard step.consumed > 0 || step.produced > 0 else {
        throw ArchiveError.corrupt(path: path, what: "\(name) is cut short")
      }
    }
  }
}
