internal import Foundation
internal import Model

/// What a collection found.
package struct OrphanReport: Sendable, Equatable {
  package var removedFiles = 0
  package var removedBytes = 0
  /// Shards that a publisher was busy in; the next collection sees them.
  package var skippedShards = 0
  /// Blobs that the registry knows and the disk does not: their versions answer with an error.
  package var missing: [String] = []
}

extension AdapterStore {
  /// Removes the files that no version knows: what a crash between file and row left, unfinished
  /// files, and those of deleted vBERTs.
  ///
  /// Meant for the background after a start: at no time does it hold up a publisher for longer than
  /// one of 256 directories takes, nor wait for one. Throws the registry's errors; a file that cannot
  /// be removed stays for the next time.
  @discardableResult
  package func collectOrphans() throws -> OrphanReport {
    var report = OrphanReport()
    for shard in 0..<256 {
      let digits = String(shard, radix: 16)
      try collect(shard: shard < 16 ? "0" + digits : digits, into: &report)
    }
    return report
  }

  private func collect(shard: String, into report: inout OrphanReport) throws {
    guard let lock = try registry.home.lock(Self.lockName) else {
      report.skippedShards += 1
      return
    }
    defer { withExtendedLifetime(lock) {} }
    var missing = try registry.blobs(prefix: shard)
    let directory = registry.home.adapters.appending(path: shard, directoryHint: .isDirectory)
    let files =
      (try? FileManager.default.contentsOfDirectory(
        at: directory, includingPropertiesForKeys: [.fileSizeKey])) ?? []
    for file in files {
      let blob = file.deletingPathExtension().lastPathComponent
      if file.pathExtension == "safetensors", missing.remove(blob) != nil { continue }
      guard file.pathExtension == "safetensors" || blob.hasPrefix(AtomicFile.leftoverPrefix)
      else { continue }
      let size = try? file.resourceValues(forKeys: [.fileSizeKey]).fileSize
      if (try? FileManager.default.removeItem(at: file)) != nil {
        report.removedFiles += 1
        report.removedBytes += size ?? 0
      }
    }
    report.missing += missing.sorted()
  }
}
