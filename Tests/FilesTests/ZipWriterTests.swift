import Foundation
import Testing

@testable import Files

@Suite struct ZipWriterTests {
  @Test func whatIsWrittenIsReadAgain() throws {
    let path = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).filePath
    defer { try? FileManager.default.removeItem(atPath: path) }
    let files: [(name: String, content: [UInt8])] = [
      ("a.json", Array("{}".utf8)), ("ä/b", []), ("c", (0..<70_000).map { UInt8($0 & 255) }),
    ]
    var writer = ZipWriter()
    for file in files { writer.append(file.name, file.content) }
    let bytes = writer.finish()
    try Data(bytes).write(to: URL(filePath: path))
    let archive = try ZipArchive(path: path)
    #expect(archive.entries.map(\.name) == files.map(\.name))
    for (entry, file) in zip(archive.entries, files) {
      #expect(try archive.bytes(of: entry, limit: 1 << 20) == file.content)
    }
  }

  /// Python's own module finds nothing wrong with it.
  @Test func pythonReadsIt() throws {
    var writer = ZipWriter()
    writer.append("a.json", Array("{}".utf8))
    writer.append("ä", Array("ö".utf8))
    let path = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).filePath
    defer { try? FileManager.default.removeItem(atPath: path) }
    try Data(writer.finish()).write(to: URL(filePath: path))
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = [
      "python3", "-c",
      "import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None; "
        + "assert z.namelist() == ['a.json', 'ä'] and z.read('ä').decode() == 'ö'", path,
    ]
    try process.run()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
  }
}
