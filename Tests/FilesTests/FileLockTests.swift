import Files
import TestSupport
import Testing

@Suite struct FileLockTests {
  private let folder: TemporaryFolder
  private let path: String

  init() throws {
    folder = try TemporaryFolder()
    path = folder.file("lock")
  }

  @Test func exclusiveIsAlone() throws {
    var held = try FileLock(path: path, .exclusive, wait: false)
    #expect(held != nil)
    #expect(try FileLock(path: path, .exclusive, wait: false) == nil)
    #expect(try FileLock(path: path, .shared, wait: false) == nil)
    held = nil
    #expect(try FileLock(path: path, .exclusive, wait: false) != nil)
  }

  @Test func sharedKeepsTheExclusiveOut() throws {
    let one = try FileLock(path: path, .shared, wait: true)
    let two = try FileLock(path: path, .shared, wait: false)
    #expect(one != nil && two != nil)
    #expect(try FileLock(path: path, .exclusive, wait: false) == nil)
    withExtendedLifetime((one, two)) {}
  }

  @Test func aFileUsedOnceGoes() throws {
    let lock = try #require(try FileLock(path: path, .exclusive, wait: false))
    #expect(try folder.names() == ["lock"])
    lock.removeFile()
    #expect(try folder.names() == [])
  }
}
