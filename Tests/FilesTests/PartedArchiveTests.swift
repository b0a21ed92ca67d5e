import Files
import Foundation
import TestSupport
import Testing

/// An archive in pieces, each in an archive of its own.
@Suite struct PartedArchiveTests {
  private let folder: TemporaryFolder
  private let files: [TemporaryFile]
  private var paths: [String] { files.map(\.path) }

  init() throws {
    folder = try TemporaryFolder()
    var whole = HandmadeZip()
    whole.add("a", [UInt8](repeating: 1, count: 300))
    let bytes = whole.finished()
    files = try (0..<3).map { i in
      var wheel = HandmadeZip()
      wheel.add("p/__init__.py", [])
      let piece = Array(bytes[i * bytes.count / 3..<(i + 1) * bytes.count / 3])
      wheel.add("p/m.zip.00\(i + 1)", piece)
      return try TemporaryFile(wheel.finished())
    }
  }

  private func refusal(_ paths: [String]) -> ArchiveError? {
    #expect(throws: ArchiveError.self) {
      try PartedArchive.join(paths, scratch: folder.file("scratch"))
    }
  }

  @Test func piecesBecomeOneArchive() throws {
    #expect(try PartedArchive.holdsPiece(ZipArchive(path: paths[1])))
    let (archive, name) = try PartedArchive.join(paths, scratch: folder.file("scratch"))
    #expect(name == "m.zip" && archive.path == "m.zip")
    let entry = try #require(archive.entry("a"))
    #expect(try archive.bytes(of: entry, limit: 300) == [UInt8](repeating: 1, count: 300))
    #expect(try folder.names() == [], "the mapping outlives the file")
  }

  @Test func theWrongPieceIsNamed() throws {
    #expect(
      refusal([paths[0], paths[2]])
        == .part(path: paths[2], what: "m.zip.002 is missing, m.zip.003 is here"))
    #expect(
      refusal([paths[0], paths[0]]) == .part(path: paths[0], what: "m.zip.001 is given twice"))
    let swapped = refusal([paths[1], paths[0], paths[2]])
    #expect(swapped?.description.contains("m.zip.002 stands where m.zip.001 should") == true)
    #expect(refusal([paths[0], paths[1]])?.description.contains("is m.zip.003 missing?") == true)
    let text = try TemporaryFile([1, 2, 3])
    #expect(
      refusal([paths[0], text.path])
        == .part(path: text.path, what: "it holds no piece of an archive (NAME.zip.001)"))
    var other = HandmadeZip()
    other.add("n.zip.002", [1])
    let foreign = try TemporaryFile(other.finished())
    #expect(
      refusal([paths[0], foreign.path])
        == .part(path: foreign.path, what: "it holds a piece of n.zip, those before of m.zip"))
    #expect(try folder.names() == [])
  }
}
