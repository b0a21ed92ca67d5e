import Foundation
import Testing

@testable import Files

@Suite struct GrowingFileTests {
  @Test func whatIsNotRememberedGoes() throws {
    let path = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).filePath
    defer { try? FileManager.default.removeItem(atPath: path) }
    let file = try GrowingFile(path: path, from: 0)
    try file.append(Array("abc".utf8))
    try file.append([])
    try file.flush()
    let again = try GrowingFile(path: path, from: 2)
    try again.append(Array("x".utf8))
    #expect(try String(contentsOfFile: path, encoding: .utf8) == "abx")
    #expect(throws: FileError.changed(path: path)) { try GrowingFile(path: path, from: 4) }
    #expect(try String(contentsOfFile: path, encoding: .utf8) == "abx")
  }
}
