import Foundation
import Manager
import Synchronization
import Testing

/// An implementation of `BlobStore`, empty: what is to hold for all of them runs over each.
struct BlobStoreKind: Sendable, CustomTestStringConvertible {
  let testDescription: String
  /// The stores that it makes on one home are one: what one puts, all of them have.
  let open: @Sendable (Home) -> any BlobStore

  static let all: [BlobStoreKind] = [
    BlobStoreKind(testDescription: "files") { FileBlobs($0) },
    BlobStoreKind(testDescription: "memory") { MemoryBlobs.of($0) },
  ]
}

/// Blobs in memory, behind waits such as a network has.
final class MemoryBlobs: BlobStore {
  private struct State {
    var blobs: [String: [UInt8]] = [:]
    /// And since when, in seconds since 1970.
    var aside: [String: (bytes: [UInt8], second: Int)] = [:]
    var holds = 0
  }

  private final class Hold: Sendable {
    private let store: MemoryBlobs

    init(_ store: MemoryBlobs) {
      self.store = store
      store.state.withLock { $0.holds += 1 }
    }

    deinit { store.state.withLock { $0.holds -= 1 } }
  }

  private static let all = Mutex<[URL: MemoryBlobs]>([:])
  private let state = Mutex(State())

  static func of(_ home: Home) -> MemoryBlobs {
    all.withLock { all in
      let store = all[home.root] ?? MemoryBlobs()
      all[home.root] = store
      return store
    }
  }

  private func wait() async { await Task.yield() }

  func put(_ bytes: [UInt8], under key: String) async throws(BlobError) {
    guard BlobKey.isValid(key) else { throw BlobError("\(key) is no key of a blob") }
    await wait()
    state.withLock { $0.blobs[key] = bytes }
  }

  func get(_ key: String, range: Range<Int>?) async -> [UInt8]? {
    await wait()
    return state.withLock(\.blobs)[key].map { bytes in
      range.map { Array(bytes[$0.clamped(to: bytes.indices)]) } ?? bytes
    }
  }

  func size(of key: String) async -> Int? {
    await wait()
    return state.withLock(\.blobs)[key]?.count
  }

  func list(prefix: String) async -> [String] {
    await wait()
    return state.withLock(\.blobs).keys.filter { $0.hasPrefix(prefix) }.sorted()
  }

  func remove(_ key: String) async {
    await wait()
    state.withLock { $0.blobs[key] = nil }
  }

  func recover(_ key: String) async -> Bool {
    await wait()
    return state.withLock { Self.recover(key, &$0) }
  }

  private static func recover(_ key: String, _ state: inout State) -> Bool {
    guard state.blobs[key] == nil, let aside = state.aside.removeValue(forKey: key) else {
      return false
    }
    state.blobs[key] = aside.bytes
    return true
  }

  func hold(wait: Bool) async -> BlobHold? { BlobHold(Hold(self)) }

  var lock: String { "memory" }

  func sweep(
    age: Int, now: Date,
    known: @Sendable (_ prefix: String) async throws(RegistryError) -> Set<String>
  ) async throws -> OrphanReport {
    var report = OrphanReport()
    guard state.withLock(\.holds) == 0 else {
      report.skippedShards = 1
      return report
    }
    let second = Int(now.timeIntervalSince1970)
    let names = try await known("")
    state.withLock { state in
      for (key, aside) in state.aside {
        if names.contains(key) {
          if Self.recover(key, &state) { report.restoredFiles += 1 }
        } else if aside.second <= second - age {
          state.aside[key] = nil
          report.removedFiles += 1
          report.removedBytes += aside.bytes.count
        }
      }
      for (key, bytes) in state.blobs where !names.contains(key) {
        state.aside[key] = (bytes, second)
        state.blobs[key] = nil
        report.quarantinedFiles += 1
      }
      report.missing = names.filter { state.blobs[$0] == nil }.sorted()
    }
    return report
  }

  func place(of key: String) -> String { "memory of \(key)" }
}
