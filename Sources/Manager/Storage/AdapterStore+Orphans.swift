internal import Files
package import Foundation
internal import Glibc

/// What a collection did and found.
package struct OrphanReport: Sendable, Equatable {
  /// Blobs that no version knows, moved to the quarantine.
  package var quarantinedFiles = 0
  /// Deleted: blobs that have been in the quarantine long enough, and unfinished files.
  package var removedFiles = 0
  package var removedBytes = 0
  /// Taken back from the quarantine, since a version knows them again.
  package var restoredFiles = 0
  /// Shards that a publisher was busy in; the next collection sees them.
  package var skippedShards = 0
  /// Blobs that the registry knows and the disk does not: their versions answer with an error.
  package var missing: [String] = []
  /// Links where a directory of ours is expected: nothing behind them was touched.
  package var links: [String] = []
}

extension AdapterStore {
  /// How long a blob that no version knows is kept, in seconds: long enough to find out that it was
  /// the registry that was wrong.
  package static let orphanAge = 7 * 24 * 3600

  /// Moves the blobs that no version knows to a quarantine, and deletes those that have been there
  /// for `age` seconds and are still unknown; what crashes left unfinished goes at once. What a
  /// version knows again comes back. Follows no link, touches no name that is not ours.
  ///
  /// Meant for the background after a start: at no time does it hold up a publisher for longer than
  /// one of 256 directories takes, nor wait for one. Throws the registry's errors, for a damaged one before
  /// anything is touched: an index that has lost its entries knows no blob. A file that cannot be moved
  /// stays for the next time.
  @discardableResult
  package func collectOrphans(
    age: Int = AdapterStore.orphanAge, now: Date = Date()
  ) async throws -> OrphanReport {
    var report = OrphanReport()
    let files = BlobFiles(home)
    let second = Int(max(0, now.timeIntervalSince1970))
    guard FileKind(files.root) == .directory else {
      report.links.append(files.root.filePath)
      return report
    }
    try await registry.checkSoundness()
    try await sweepQuarantine(files, before: second - age, into: &report)
    for shard in BlobFiles.shards { try await collect(files, shard, second, into: &report) }
    return report
  }

  private func collect(
    _ files: BlobFiles, _ shard: String, _ second: Int, into report: inout OrphanReport
  ) async throws {
    guard let lock = try home.lock(Self.lockName) else {
      report.skippedShards += 1
      return
    }
    defer { withExtendedLifetime(lock) {} }
    var missing = try await registry.blobs(prefix: shard)
    let directory = files.shard(shard)
    switch FileKind(directory) {
    case .directory:
      for name in BlobFiles.names(in: directory) {
        let file = directory.appending(path: name)
        guard FileKind(file) == .file else { continue }
        if let blob = BlobFiles.blob(file: name, shard: shard) {
          if missing.remove(blob) != nil { continue }
          quarantine(file, blob, files, second, &report)
        } else if name.hasPrefix(Leftover.prefix) {
          remove(file, &report)
        }
      }
    case .missing: break
    case .link, .file, .other: report.links.append(directory.filePath)
    }
    report.missing += missing.sorted()
  }

  private func quarantine(
    _ file: URL, _ blob: String, _ files: BlobFiles, _ second: Int, _ report: inout OrphanReport
  ) {
    guard Self.makeDirectory(files.quarantine) else { return }
    let place = files.quarantine.appending(path: BlobFiles.quarantined(blob, at: second))
    if unsafe rename(file.filePath, place.filePath) == 0 {
      report.quarantinedFiles += 1
    }
  }

  /// What is known again comes back; what is older than `second` and still unknown goes.
  private func sweepQuarantine(
    _ files: BlobFiles, before second: Int, into report: inout OrphanReport
  ) async throws {
    guard FileKind(files.quarantine) == .directory else { return }
    for name in BlobFiles.names(in: files.quarantine) {
      let file = files.quarantine.appending(path: name)
      guard let entry = BlobFiles.quarantined(file: name), FileKind(file) == .file else { continue }
      if try await registry.blobs(prefix: entry.blob).contains(entry.blob) {
        if restore(entry.blob) { report.restoredFiles += 1 }
      } else if entry.second <= second {
        remove(file, &report)
      }
    }
  }

  /// Brings a blob back from the quarantine; false where it is not there, or in its place already.
  @discardableResult
  func restore(_ blob: String) -> Bool {
    let files = BlobFiles(home)
    let (place, shard) = (files.url(blob), files.shard(String(blob.prefix(2))))
    guard FileKind(files.quarantine) == .directory, FileKind(place) == .missing,
      let name = BlobFiles.names(in: files.quarantine).first(where: {
        BlobFiles.quarantined(file: $0)?.blob == blob
      }), Self.makeDirectory(shard)
    else { return false }
    let file = files.quarantine.appending(path: name)
    return unsafe FileKind(file) == .file
      && rename(file.filePath, place.filePath) == 0
  }

  private func remove(_ file: URL, _ report: inout OrphanReport) {
    let size = try? file.resourceValues(forKeys: [.fileSizeKey]).fileSize
    if unsafe unlink(file.filePath) == 0 {
      report.removedFiles += 1
      report.removedBytes += size ?? 0
    }
  }

  /// False where something that is no directory of ours is in the way.
  private static func makeDirectory(_ url: URL) -> Bool {
    if FileKind(url) == .missing {
      try? FileManager.default.createDirectory(
        at: url, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
    }
    return FileKind(url) == .directory
  }
}
