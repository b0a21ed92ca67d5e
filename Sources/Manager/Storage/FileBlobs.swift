internal import Files
package import Foundation
internal import Model

/// A file a blob, below the home's adapters/ (see `BlobFiles`).
///
/// A file appears whole, flushed with its directory, or not at all. Between file and commit a publisher
/// holds the lock `adapters` shared, a sweep holds it exclusively, so no file is taken away before its
/// row is there.
package struct FileBlobs: BlobStore {
  let home: Home
  let files: BlobFiles

  package init(_ home: Home) { (self.home, files) = (home, BlobFiles(home)) }

  /// adapters/<first two digits>/<key>.safetensors
  package func url(_ key: String) -> URL { files.url(key) }

  package func place(of key: String) -> String { url(key).filePath }

  package func put(_ bytes: [UInt8], under key: String) throws(BlobError) {
    // It becomes a path.
    guard BlobKey.isValid(key) else { throw BlobError("\(clipped(key)) is no key of a blob") }
    do {
      let shard = url(key).deletingLastPathComponent()
      if !FileManager.default.fileExists(atPath: shard.filePath) {
        try FileManager.default.createDirectory(
          at: shard, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        try AtomicFile.flushDirectory(home.adapters.filePath)
      }
      try AtomicFile.write(bytes, to: place(of: key))
    } catch { throw BlobError("\(error)") }
  }

  package func get(_ key: String, range: Range<Int>?) throws(BlobError) -> [UInt8]? {
    guard BlobKey.isValid(key) else { return nil }
    // Read, not mapped: who shortens a mapped file faults the reader.
    do {
      guard let range else { return [UInt8](try Data(contentsOf: url(key))) }
      let file = try FileHandle(forReadingFrom: url(key))
      defer { try? file.close() }
      try file.seek(toOffset: UInt64(max(0, range.lowerBound)))
      return [UInt8](try file.read(upToCount: range.count) ?? Data())
    } catch {
      if Self.isAbsence(error) { return nil }
      throw BlobError(plain(error))
    }
  }

  /// By what the disk said: a second look may find what has been put since.
  private static func isAbsence(_ error: any Error) -> Bool {
    [.fileReadNoSuchFile, .fileNoSuchFile].contains((error as? CocoaError)?.code)
  }

  package func size(of key: String) throws(BlobError) -> Int? {
    guard BlobKey.isValid(key) else { return nil }
    // A URL remembers what it was told before; this one is new.
    return try? url(key).resourceValues(forKeys: [.fileSizeKey]).fileSize
  }

  package func list(prefix: String) throws(BlobError) -> [String] {
    var keys: [String] = []
    for shard in BlobFiles.shards where shard.hasPrefix(prefix) || prefix.hasPrefix(shard) {
      keys += BlobFiles.names(in: files.shard(shard)).compactMap {
        BlobFiles.blob(file: $0, shard: shard)
      }.filter { $0.hasPrefix(prefix) }.sorted()
    }
    return keys
  }

  package func remove(_ key: String) throws(BlobError) {
    guard BlobKey.isValid(key) else { return }
    do { try FileManager.default.removeItem(at: url(key)) } catch {
      if Self.isAbsence(error) { return }
      throw BlobError(plain(error))
    }
  }

  package func hold(wait: Bool) throws(BlobError) -> BlobHold? {
    do { return try home.lock(Self.lockName, .shared, wait: wait).map { BlobHold($0) } } catch {
      throw BlobError("\(error)")
    }
  }

  package var lock: String { "locks/\(Self.lockName)" }

  /// Held shared from a file's appearance to its row's commit, exclusively while orphans go.
  static let lockName: String = "adapters"
}
