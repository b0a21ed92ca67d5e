internal import Glibc

/// A zip archive cut into pieces, NAME.zip.001, NAME.zip.002 and so on, each in an archive (a wheel) of
/// its own: how a model comes that is too large for one.
package enum PartedArchive {
  /// What one archive holds of the whole.
  private struct Piece {
    let archive: ZipArchive
    let entry: ZipArchive.Entry
    let number: Int
    /// "NAME.zip".
    let whole: String
  }

  /// Whether an archive holds a piece.
  package static func holdsPiece(_ archive: ZipArchive) -> Bool { piece(in: archive) != nil }

  private static func piece(in archive: ZipArchive) -> Piece? {
    let found = archive.entries.compactMap { entry -> Piece? in
      let file = entry.name.split(separator: "/").last ?? ""
      guard let dot = file.lastIndex(of: "."), file[..<dot].hasSuffix(".zip"),
        file[dot...].utf8.count == 4, let number = Int(file[file.index(after: dot)...]), number > 0
      else { return nil }
      return Piece(archive: archive, entry: entry, number: number, whole: String(file[..<dot]))
    }
    return found.count == 1 ? found[0] : nil
  }

  /// Puts the pieces, one or more, together in the file `scratch`, which has no name any more when this
  /// returns. Throws `ArchiveError` (`part` says which piece is wrong), and `FileError` for the scratch.
  package static func join(_ paths: [String], scratch file: String) throws -> (
    archive: ZipArchive, name: String
  ) {
    let pieces = try paths.map { path in
      guard ZipArchive.isZip(path: path), let piece = try piece(in: ZipArchive(path: path)) else {
        throw ArchiveError.part(path: path, what: "it holds no piece of an archive (NAME.zip.001)")
      }
      return piece
    }
    try checkOrder(pieces)
    var whole = try AtomicFile(replacing: file)
    for piece in pieces { try piece.archive.append(piece.entry, to: &whole) }
    try whole.commit()
    defer { unsafe _ = unlink(file) }
    let name = pieces[0].whole
    // The mapping outlives the file.
    do { return (try ZipArchive(path: file, shown: name), name) } catch {
      throw ArchiveError.part(
        path: paths[paths.count - 1],
        what: "\(numbered(pieces.count, name)) is the last one given, and the archive does not end "
          + "there: is \(numbered(pieces.count + 1, name)) missing?")
    }
  }

  private static func checkOrder(_ pieces: [Piece]) throws(ArchiveError) {
    let name = pieces[0].whole
    let given = pieces.map(\.number)
    for (place, piece) in pieces.enumerated() {
      func wrong(_ what: String) -> ArchiveError { .part(path: piece.archive.path, what: what) }
      guard piece.whole == name else {
        throw wrong("it holds a piece of \(piece.whole), those before of \(name)")
      }
      let (own, due) = (numbered(piece.number, name), numbered(place + 1, name))
      guard piece.number != place + 1 else { continue }
      if given[..<place].contains(piece.number) { throw wrong("\(own) is given twice") }
      guard given.contains(place + 1) else { throw wrong("\(due) is missing, \(own) is here") }
      throw wrong("\(own) stands where \(due) should: give them in their order")
    }
  }

  private static func numbered(_ number: Int, _ name: String) -> String {
    let digits = String(number)
    return "\(name).\(String(repeating: "0", count: max(0, 3 - digits.count)))\(digits)"
  }
}
