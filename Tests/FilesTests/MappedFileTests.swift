import Foundation
import Glibc
import TestSupport
import Testing

@testable import Files

struct MappedFileTests {
  private let folder: TemporaryFolder
  private let path: String

  init() throws {
    folder = try TemporaryFolder()
    path = folder.file("file")
    try Data(repeating: 7, count: 100_000).write(to: URL(filePath: path))
  }

  private func sum(_ file: MappedFile) -> Int {
    unsafe file.withBytes { bytes in unsafe bytes.reduce(0) { $0 + Int($1) } }
  }

  /// As a program would that waits no longer than it must; -1 where it would have to wait.
  private func openToWrite() -> Int32 { unsafe open(path, O_WRONLY | O_NONBLOCK) }

  @Test func nobodyShortensWhatIsMapped() throws {
    var file: MappedFile? = try MappedFile(path: path)
    #expect(file?.isWanted == false)
    let writer = openToWrite()
    #expect(writer == -1 && errno == EWOULDBLOCK)
    #expect(file?.isWanted == true)
    #expect(sum(try #require(file)) == 700_000)
    file = nil
    let second = openToWrite()
    #expect(second >= 0)
    close(second)
  }

  @Test func readersDoNotDisturbEachOther() throws {
    let file = try MappedFile(path: path)
    let other = try MappedFile(path: path)
    #expect(!file.isWanted && !other.isWanted && sum(other) == 700_000)
    // A new file under the name is another file.
    try Data([1]).write(to: URL(filePath: path), options: .atomic)
    #expect(!file.isWanted && sum(file) == 700_000)
  }

  @Test(arguments: [true, false])
  func whatIsNotGuardedIsCopied(openElsewhere: Bool) throws {
    let writer = openElsewhere ? openToWrite() : -1
    defer { if writer >= 0 { close(writer) } }
    let file = try MappedFile(path: path, guarded: openElsewhere)
    #expect(unsafe truncate(path, 10) == 0)
    #expect(!file.isWanted && file.count == 100_000 && sum(file) == 700_000)
  }

  @Test func emptyOnesAndThoseThatAreNone() throws {
    try Data().write(to: URL(filePath: path))
    for guarded in [true, false] {
      #expect(try MappedFile(path: path, guarded: guarded).count == 0)
      #expect(throws: FileError.self) {
        try MappedFile(path: folder.file(""), guarded: guarded)
      }
      #expect(throws: FileError.self) {
        try MappedFile(path: path + "-not-there", guarded: guarded)
      }
    }
  }
}
