import Files
import Foundation
import Glibc
import TestSupport
import Testing

/// Messages name the file, say what was tried and why it failed, and what to do.
@Suite struct FileErrorTests {
  @Test(arguments: [
    (ENOENT, "No such file or directory; is the path right?"),
    (ENOTDIR, "Not a directory; is the path right?"),
    (EISDIR, "Is a directory; give the path of a file"),
    (
      EACCES,
      "Permission denied; look at the permissions of the file and of the directories above it"
    ),
    (ENOSPC, "No space left on device; make room on the disk"),
    (EDQUOT, "Disk quota exceeded; make room on the disk"),
    (EROFS, "Read-only file system; choose a place that can be written to"),
    (EMFILE, "Too many open files; allow more open files (ulimit -n)"),
    (EIO, "Input/output error; the disk fails: look at the system's log"),
    (EFBIG, "File too large"),
  ])
  func saysWhatToDo(_ code: Int32, _ end: String) {
    let error = FileError.refused(path: "/a b/é", operation: "open", code: code)
    #expect("\(error)" == "cannot open /a b/é: \(end)")
    #expect(error.path == "/a b/é")
  }

  @Test func whatIsNoFileIsSaidSo() {
    let error = FileError.notRegular(path: "/dev")
    #expect("\(error)" == "cannot open /dev: not a regular file; give the path of a file")
    #expect(error.reason == "not a regular file" && error.path == "/dev")
  }

  /// Whatever the file holds, the error is the file's, and formats carry it unchanged.
  @Test func everyDoorNamesTheFile() throws {
    let folder = try TemporaryFolder()
    let missing = folder.file("missing")
    let absent = FileError.refused(path: missing, operation: "open", code: ENOENT)
    #expect(throws: absent) { try MappedFile(path: missing) }
    #expect(throws: ArchiveError.file(absent)) { try ZipArchive(path: missing) }
    #expect(throws: ArchiveError.file(absent)) { try LineReader(path: missing) }
    #expect("\(ArchiveError.file(absent))" == "\(absent)")
    let below = missing + "/target"
    let uncreatable = FileError.refused(
      path: missing + "/", operation: "create a file in", code: ENOENT)
    #expect(throws: uncreatable) { try AtomicFile.write([1], to: below) }
    #expect(throws: uncreatable) { try MappedDraft(replacing: below, count: 1) }
    #expect(throws: uncreatable) { try [UInt8](arrayLiteral: 1).scratch(in: missing + "/") }
    #expect(throws: FileError.refused(path: below, operation: "open", code: ENOENT)) {
      try FileLock(path: below, .shared, wait: false)
    }
    #expect(throws: absent) { try AtomicFile.flushDirectory(missing) }
  }

  @Test func directoriesAndDevicesAreNoFiles() throws {
    let folder = try TemporaryFolder()
    for path in [folder.path, "/dev/zero"] {
      #expect(throws: FileError.notRegular(path: path)) { try MappedFile(path: path) }
    }
    #expect(
      throws: ArchiveError.file(.refused(path: folder.path, operation: "read", code: EISDIR))
    ) { try LineReader(path: folder.path) }
    let target = folder.file("folder")
    try FileManager.default.createDirectory(atPath: target, withIntermediateDirectories: false)
    let occupied = FileError.refused(path: target, operation: "replace", code: EISDIR)
    #expect(throws: occupied) { try AtomicFile.write([1], to: target) }
    #expect(throws: occupied) { try MappedDraft(replacing: target, count: 1).commit() }
    #expect(try folder.names() == ["folder"], "nothing is left of what failed")
  }
}
