/// Reads a zip file's central directory (APPNOTE.TXT 6.3, sections 4.3 and 4.4).
@safe struct ZipDirectory {
  let path: String
  let bytes: UnsafeRawBufferPointer

  private static let endSize = 22
  private static let recordSize = 46
  private static let localSize = 30

  private func corrupt(_ what: String) -> ArchiveError { .corrupt(path: path, what: what) }
  private func unsupported(_ what: String) -> ArchiveError { .unsupported(path: path, what: what) }

  /// Little-endian; the caller has checked that the bytes are there.
  private func u16(_ offset: Int) -> Int { unsafe Int(bytes.littleEndian(UInt16.self, at: offset)) }
  private func u32(_ offset: Int) -> Int { unsafe Int(bytes.littleEndian(UInt32.self, at: offset)) }

  /// The place of the end record: the last one whose comment fills the rest of the file.
  private func end() throws(ArchiveError) -> Int {
    var place = unsafe bytes.count - Self.endSize
    let first = max(0, place - 0xFFFF)
    while place >= first {
      if u32(place) == 0x0605_4B50, unsafe place + Self.endSize + u16(place + 20) == bytes.count {
        return place
      }
      place -= 1
    }
    throw corrupt("it has no zip directory")
  }

  func entries() throws(ArchiveError) -> [ZipArchive.Entry] {
    let end = try end()
    let count = u16(end + 10)
    let size = u32(end + 12)
    let start = u32(end + 16)
    guard u16(end + 4) == 0, u16(end + 6) == 0, u16(end + 8) == count else {
      throw unsupported("an archive in several parts")
    }
    guard count < 0xFFFF, size < 0xFFFF_FFFF, start < 0xFFFF_FFFF else {
      throw unsupported("a zip64 archive")
    }
    guard start + size <= end else { throw corrupt("its directory lies outside the file") }
    var entries: [ZipArchive.Entry] = []
    var names: Set<[UInt8]> = []
    var place = start
    for _ in 0..<count {
      guard place + Self.recordSize <= start + size, u32(place) == 0x0201_4B50 else {
        throw corrupt("its directory is cut short")
      }
      let next =
        place + Self.recordSize + u16(place + 28) + u16(place + 30) + u16(place + 32)
      guard next <= start + size else { throw corrupt("its directory is cut short") }
      let entry = try entry(at: place, dataEnd: start)
      guard names.insert(Array(entry.name.utf8)).inserted else {
        throw corrupt("two entries are called \(entry.name)")
      }
      if !entry.name.hasSuffix("/") { entries.append(entry) }
      place = next
    }
    guard place == start + size else { throw corrupt("its directory has unused bytes") }
    try checkOverlap(entries)
    return entries
  }

  private func entry(at place: Int, dataEnd: Int) throws(ArchiveError) -> ZipArchive.Entry {
    let nameStart = place + Self.recordSize
    let nameCount = u16(place + 28)
    let raw = unsafe Array(bytes[nameStart..<nameStart + nameCount])
    guard let name = String(validating: raw, as: UTF8.self), Self.isSafe(raw) else {
      throw corrupt("it has an entry with an unsafe name")
    }
    let method = u16(place + 10)
    guard method == 0 || method == 8 else {
      throw unsupported("\(name) is packed by method \(method)")
    }
    let packed = u32(place + 20)
    let unpacked = u32(place + 24)
    let local = u32(place + 42)
    guard packed < 0xFFFF_FFFF, unpacked < 0xFFFF_FFFF, local < 0xFFFF_FFFF else {
      throw unsupported("a zip64 archive")
    }
    guard local + Self.localSize <= dataEnd, u32(local) == 0x0403_4B50 else {
      throw corrupt("\(name) is not where the directory says")
    }
    let dataStart = local + Self.localSize + u16(local + 26) + u16(local + 28)
    guard dataStart + packed <= dataEnd else { throw corrupt("\(name) lies outside the file") }
    guard u16(local + 26) == nameCount, u16(local + 8) == method,
      unsafe bytes[local + Self.localSize..<local + Self.localSize + nameCount].elementsEqual(raw)
    else { throw corrupt("\(name) contradicts its directory entry") }
    guard method == 8 || packed == unpacked else { throw corrupt("\(name) has two sizes") }
    return ZipArchive.Entry(
      name: name, byteCount: unpacked, crc: UInt32(u32(place + 16)), isDeflated: method == 8,
      isEncrypted: u16(place + 8) & 1 == 1, range: dataStart..<dataStart + packed)
  }

  /// A relative path of plain parts.
  private static func isSafe(_ name: [UInt8]) -> Bool {
    guard !name.isEmpty, !name.contains(where: { $0 < 0x20 || $0 == UInt8(ascii: "\\") }) else {
      return false
    }
    var parts = name.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    if parts.last?.isEmpty == true { parts.removeLast() }
    return !parts.isEmpty
      && parts.allSatisfy { part in
        !part.isEmpty && !part.elementsEqual(".".utf8) && !part.elementsEqual("..".utf8)
      }
  }

  private func checkOverlap(_ entries: [ZipArchive.Entry]) throws(ArchiveError) {
    let sorted = entries.sorted { $0.range.lowerBound < $1.range.lowerBound }
    for (first, second) in zip(sorted, sorted.dropFirst())
    where first.range.upperBound > second.range.lowerBound - Self.localSize {
      throw corrupt("\(first.name) and \(second.name) overlap")
    }
  }
}
