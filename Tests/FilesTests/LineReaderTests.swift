import Files
import Foundation
import TestSupport
import Testing

private let fixtures = Resources.packageRoot.appending(path: "Tests/FilesTests/Fixtures")

private func lines(_ path: String, limit: Int = 1 << 20) throws -> [String] {
  let reader = try LineReader(path: path, limit: limit)
  var lines: [String] = []
  while let line = try reader.next() {
    lines.append(String(decoding: line.bytes, as: UTF8.self))
    #expect(line.number == lines.count)
  }
  #expect(try reader.next() == nil)
  return lines
}

@Suite struct LineReaderTests {
  @Test(arguments: [
    ("", []), ("a", ["a"]), ("a\n", ["a"]), ("\n", [""]), ("\n\na", ["", "", "a"]),
    ("a\r\nb\rc\r\n", ["a", "b\rc"]), ("é\n\u{1F600}", ["é", "\u{1F600}"]),
  ])
  func splits(_ text: String, _ expected: [String]) throws {
    let file = try TemporaryFile(Array(text.utf8))
    #expect(try lines(file.path) == expected)
  }

  /// Lines longer than a piece, a line feed at every place around a piece's end.
  @Test func piecesDoNotShow() throws {
    for length in [(1 << 18) - 1, 1 << 18, (1 << 18) + 1, 3 << 18] {
      let long = String(repeating: "x", count: length)
      let file = try TemporaryFile(Array("\(long)\nb\r\n\(long)".utf8))
      #expect(try lines(file.path) == [long, "b", long])
    }
  }

  @Test func boundsLines() throws {
    let file = try TemporaryFile(Array("12345\n123456\nx\n".utf8))
    let reader = try LineReader(path: file.path, limit: 5)
    #expect(try reader.next()?.bytes.count == 5)
    #expect(throws: ArchiveError.lineTooLong(path: file.path, line: 2, limit: 5)) {
      try reader.next()
    }
    #expect(try reader.next() == nil)
  }

  @Test func readsGzipOfSeveralMembers() throws {
    let expected = (1...1000).map { "line \($0) " + String(repeating: "é", count: $0 % 7) }
    #expect(try lines(fixtures.appending(path: "lines.txt.gz").path()) == expected)
  }

  @Test func saysWhatIsWrong() throws {
    #expect(throws: ArchiveError.self) { try LineReader(path: "/nothing/here") }
    #expect(throws: ArchiveError.self) { try lines(FileManager.default.temporaryDirectory.path()) }
    let good = [UInt8](try Data(contentsOf: fixtures.appending(path: "lines.txt.gz")))
    for count in [2, 10, 100, 600] {
      let file = try TemporaryFile(Array(good.prefix(count)))
      #expect(throws: ArchiveError.corrupt(path: file.path, what: "the gzip stream is cut short")) {
        try lines(file.path)
      }
    }
    let trailing = try TemporaryFile(good + [1, 2, 3])
    #expect(throws: ArchiveError.corrupt(path: trailing.path, what: "the gzip stream is invalid")) {
      try lines(trailing.path)
    }
  }

  /// What is taken for text and is none would else be read as nonsense: as a corpus without a word.
  @Test(
    arguments: [
      ([0xFF, 0xFE, 0x61, 0x00], "is UTF-16"), ([0xFE, 0xFF, 0x00, 0x61], "is UTF-16"),
      ([0x7B, 0x00, 0x22, 0x00], "byte 1 is zero"), ([0x61, 0x0A, 0x62, 0x00], "byte 3 is zero"),
      (Array("PK\u{3}\u{4}\u{14}".utf8), "is a zip archive, as Excel's"),
      ([0xD0, 0xCF, 0x11, 0xE0, 0xA1], "is a file of Excel"),
      ([0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00], "xz"), ([0x28, 0xB5, 0x2F, 0xFD, 0x04], "zstd"),
      (Array("BZh91AY&SY".utf8), "bzip2"), (Array("PAR1\u{15}".utf8), "is Parquet"),
      (Array("SQLite format 3\0".utf8), "SQLite"), (Array("%PDF-1.7\n".utf8), "is a PDF"),
      ([UInt8](repeating: 0x61, count: 257) + Array("ustar".utf8) + [0], "is a tar archive"),
    ] as [([UInt8], String)])
  func otherFormatsAreNamed(_ bytes: [UInt8], _ what: String) throws {
    let file = try TemporaryFile(bytes)
    let error = #expect(throws: ArchiveError.self) { try lines(file.path) }
    #expect(error?.description.contains(what) == true, "\(String(describing: error))")
    #expect(error?.description.contains(file.path) == true)
  }

  @Test(arguments: ["BZh is how it begins", "PAR1 of 2", "PK", "%PDF", "7z"])
  func textThatBeginsLikeThemIsText(_ text: String) throws {
    let file = try TemporaryFile(Array(text.utf8))
    #expect(try lines(file.path) == [text])
  }

  @Test func fuzzedGzipNeverTraps() throws {
    let good = [UInt8](try Data(contentsOf: fixtures.appending(path: "lines.txt.gz")))
    try Fuzz.run { generator, _ in
      var bytes = good
      generator.mutate(&bytes)
      let file = try TemporaryFile(bytes)
      _ = try? lines(file.path, limit: 1 << 16)
    }
  }
}
