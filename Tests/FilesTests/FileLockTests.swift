import Files
import Synchronization
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

  private final class Count: Sendable {
    private let counts = Mutex((inside: 0, most: 0))
    var most: Int { counts.withLock(\.most) }
    func enter() { counts.withLock { $0 = ($0.inside + 1, max($0.most, $0.inside + 1)) } }
    func leave() { counts.withLock { $0.inside -= 1 } }
  }

  /// Who waits for a lock whose holder removes the file gets the lock of the next file.
  @Test func nobodyHoldsALockThatHasGone() async throws {
    let (path, count) = (path, Count())
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<4 {
        group.addTask {
          for _ in 0..<300 {
            let lock = try #require(try FileLock(path: path, .exclusive, wait: true))
            count.enter()
            count.leave()
            lock.removeFile()
          }
        }
      }
      try await group.waitForAll()
    }
    #expect(count.most == 1)
    #expect(try folder.names() == [])
  }
}
