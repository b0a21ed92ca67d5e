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
