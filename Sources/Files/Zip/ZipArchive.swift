/// A zip archive (also: a Python wheel), mapped. Opening it checks the whole directory: names are
/// relative and stay inside, places lie inside the file and none overlap, so that neither a path nor
/// a bomb of overlapping entries gets through. Zip64, encryption and split archives are refused.
package struct ZipArchive: Sendable {
  package struct Entry: Sendable, Equatable {
    package var name: String
    /// Unpacked.
    package var byteCount: Int
    var crc: UInt32
    var isDeflated: Bool
    var isEncrypted: Bool
    /// Where the packed bytes lie in the file.
    var range: Range<Int>
  }

  package let path: String
  /// Files, not directories, in the archive's order.
  package let entries: [Entry]
  let file: MappedFile

  /// `shown`: what errors call it, where not by its path. Throws `ArchiveError`.
  package init(path: String, shown name: String? = nil) throws(ArchiveError) {
    self.path = name ?? path
    do { file = try MappedFile(path: path) } catch { throw .file(error) }
    entries = try unsafe file.withBytes { (bytes) throws(ArchiveError) in
      try unsafe ZipDirectory(path: name ?? path, bytes: bytes).entries()
    }
  }

  /// Whether the file begins as a zip archive does.
  package static func isZip(path: String) -> Bool {
    guard let file = try? MappedFile(path: path) else { return false }
    return unsafe file.withBytes { unsafe $0.starts(with: [0x50, 0x4B, 0x03, 0x04]) }
  }

  package func entry(_ name: String) -> Entry? {
    entries.first { $0.name.utf8.elementsEqual(name.utf8) }
  }
}
