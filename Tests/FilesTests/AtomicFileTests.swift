import Files
import Foundation
import TestSupport
import Testing

/// A file is there whole or not at all.
@Suite struct AtomicFileTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func bytes(_ path: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(filePath: path)))
  }

  /// Sizes around the buffer's, in pieces that it gathers and in pieces that go past it.
  @Test func holdsWhatWasAppendedInItsOrder() throws {
    let path = folder.file("a b é")
    let large = (0..<(1 << 18) + 7).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    var file = try AtomicFile(replacing: path)
    try file.append([1, 2, 3])
    try unsafe large.withUnsafeBytes { try unsafe file.append($0) }
    try file.append(large)
    try file.append("é".utf8)
    try file.append([])
    #expect(try folder.names().count == 1, "the temporary file alone")
    #expect(try folder.names().allSatisfy { $0.hasPrefix(Leftover.prefix) })
    try file.commit()
    #expect(try bytes(path) == [1, 2, 3] + large + large + Array("é".utf8))
    #expect(try folder.names() == ["a b é"])
  }

  @Test func replacesAtCommitAndNotBefore() throws {
    let path = folder.file("f")
    try AtomicFile.write([1], to: path)
    do {
      var file = try AtomicFile(replacing: path)
      try file.append([2])
      #expect(try bytes(path) == [1])
    }
    #expect(try bytes(path) == [1] && folder.names() == ["f"], "let go without a commit")
    try AtomicFile.write([], to: path)
    #expect(try bytes(path) == [])
  }

  @Test func aDraftAppearsWhole() throws {
    let path = folder.file("draft")
    try AtomicFile.write([9], to: path)
    do {
      let draft = try MappedDraft(replacing: path, count: 5000)
      unsafe draft.start.storeBytes(of: 7, toByteOffset: 4999, as: UInt8.self)
      #expect(try bytes(path) == [9])
    }
    #expect(try bytes(path) == [9] && folder.names() == ["draft"])
    let draft = try MappedDraft(replacing: path, count: 5000)
    unsafe draft.start.storeBytes(of: 7, toByteOffset: 4999, as: UInt8.self)
    try draft.commit()
    #expect(try bytes(path) == [UInt8](repeating: 0, count: 4999) + [7])
    #expect(try folder.names() == ["draft"])
  }

  /// More than the address space, or than the disk: an error, and nothing stays.
  @Test func aDraftTakesItsSpaceAtOnce() throws {
    let error = #expect(throws: FileError.self) {
      try MappedDraft(replacing: folder.file("huge"), count: Int.max)
    }
    #expect(error?.path == folder.file("huge"))
    #expect(error?.description.contains("cannot take \(Int.max) bytes for ") == true)
    #expect(try folder.names() == [])
  }

  @Test func aScratchFileHasNoName() throws {
    let values = (0..<100_000).map { UInt8(truncatingIfNeeded: $0) }
    let scratch = try values.scratch(in: folder.path)
    #expect(try folder.names() == [])
    #expect(scratch.count == values.count)
    let read = unsafe Array(UnsafeRawBufferPointer(start: scratch.start, count: scratch.count))
    #expect(read == values)
    let empty = try [UInt8]().scratch(in: folder.path)
    #expect(unsafe empty.count == 0 && empty.start == nil)
  }

  @Test func aMappedFileIsTheFilesBytes() throws {
    let path = folder.file("mapped")
    for content in [[], [5], [UInt8](repeating: 3, count: 10_000)] as [[UInt8]] {
      try AtomicFile.write(content, to: path)
      let file = try MappedFile(path: path)
      #expect(file.count == content.count)
      unsafe file.withBytes { bytes in unsafe #expect(bytes.elementsEqual(content)) }
      try AtomicFile.write([1, 2], to: path)
      unsafe file.withBytes { bytes in
        unsafe #expect(bytes.elementsEqual(content), "the old file, as long as it is mapped")
      }
    }
  }

  @Test func kindsOfPathsAreToldWithoutFollowingLinks() throws {
    let directory = folder.url.appending(path: "d", directoryHint: .isDirectory)
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: false)
    try AtomicFile.write([], to: folder.file("f"))
    let link = folder.url.appending(path: "l", directoryHint: .isDirectory)
    try FileManager.default.createSymbolicLink(
      atPath: folder.file("l"), withDestinationPath: directory.filePath)
    #expect(FileKind(directory) == .directory)
    #expect(FileKind(folder.url.appending(path: "f")) == .file)
    #expect(FileKind(link) == .link && link.filePath.hasSuffix("/"))
    #expect(FileKind(folder.url.appending(path: "nothing")) == .missing)
    #expect(FileKind(URL(filePath: "/dev/null")) == .other)
  }
}
