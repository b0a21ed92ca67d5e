internal import Files
package import Foundation
internal import Glibc

extension FileBlobs {
  /// One of 256 directories at a time is locked. Follows no link, touches no name that is not ours; what
  /// crashes left unfinished goes at once.
  package func sweep(
    age: Int, now: Date,
    known: @Sendable (_ prefix: String) async throws(RegistryError) -> Set<String>
  ) async throws -> OrphanReport {
    var report = OrphanReport()
    let second = Int(max(0, now.timeIntervalSince1970))
    guard FileKind(files.root) == .directory else {
      report.links.append(files.root.filePath)
      return report
    }
    try await sweepQuarantine(before: second - age, known, into: &report)
    for shard in BlobFiles.shards { try await collect(shard, second, known, into: &report) }
    return report
  }

  private typealias Known = @Sendable (_ prefix: String) async throws(RegistryError) -> Set<String>

  private func collect(
    _ shard: String, _ second: Int, _ known: Known, into report: inout OrphanReport
  ) async throws {
    guard let lock = try home.lock(Self.lockName) else {
      report.skippedShards += 1
      return
    }
    defer { withExtendedLifetime(lock) {} }
    var missing = try await known(shard)
    let directory = files.shard(shard)
    switch FileKind(directory) {
    case .directory:
      for name in BlobFiles.names(in: directory) {
        let file = directory.appending(path: name)
        guard FileKind(file) == .file else { continue }
        if let blob = BlobFiles.blob(file: name, shard: shard) {
          if missing.remove(blob) != nil { continue }
          quarantine(file, blob, second, &report)
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
    _ file: URL, _ blob: String, _ second: Int, _ report: inout OrphanReport
  ) {
    guard Self.makeDirectory(files.quarantine) else { return }
    let place = files.quarantine.appending(path: BlobFiles.quarantined(blob, at: second))
    if unsafe rename(file.filePath, place.filePath) == 0 {
      report.quarantinedFiles += 1
    }
  }

  /// What is known again comes back; what is older than `second` and still unknown goes.
  private func sweepQuarantine(
    before second: Int, _ known: Known, into report: inout OrphanReport
  ) async throws {
    guard FileKind(files.quarantine) == .directory else { return }
    for name in BlobFiles.names(in: files.quarantine) {
      let file = files.quarantine.appending(path: name)
      guard let entry = BlobFiles.quarantined(file: name), FileKind(file) == .file else { continue }
      if try await known(entry.blob).contains(entry.blob) {
        if recover(entry.blob) { report.restoredFiles += 1 }
      } else if entry.second <= second {
        remove(file, &report)
      }
    }
  }

  package func recover(_ blob: String) -> Bool {
    guard BlobKey.isValid(blob) else { return false }
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
