internal import Files
package import Foundation
package import Model

extension AdapterStore {
  /// What `export` writes, as a zip archive of the two files. Throws `AdapterError`, `DirectoryError.untrained`,
  /// `tooLarge`, and the registry's `noVBERT`, `noVersion`.
  package func archive(
    vbert name: VBertName, version number: Int? = nil
  ) async throws -> (bytes: [UInt8], version: VersionRecord) {
    let version = try await exported(name, number)
    var manifest = ExportManifest(name, version)
    let weights = try await bytes(of: version)
    if let weights {
      manifest.adapterSHA256 = unsafe weights.span.bytes.withUnsafeBytes { unsafe Self.sha256($0) }
    }
    let text = [UInt8](try JSONText.encode(manifest).utf8)
    guard (weights?.count ?? 0) + text.count < ZipWriter.mostBytes - 1024 else {
      throw DirectoryError.unwritable("an archive", why: "4 GB are its most: export a directory")
    }
    var archive = ZipWriter()
    archive.append(ExportManifest.fileName, text)
    if let weights { archive.append(ExportManifest.weightsName, weights) }
    return (archive.finish(), version)
  }

  /// Unpacks what `archive` made, `byteCount` bytes of a file at most, into a directory that `importDirectory` reads, and
  /// that is gone when `body` returns. Throws `ArchiveError`, what the disk says, and what `body` throws.
  package func withDirectory<Result>(
    ofArchive path: String, byteCount: Int, _ body: (URL) async throws -> Result
  ) async throws -> Result {
    let directory = home.unpublished.appending(
      path: Leftover.prefix + UUID().uuidString, directoryHint: .isDirectory)
    defer { try? FileManager.default.removeItem(at: directory) }
    try ExportArchive.unpack(path, byteCount: byteCount, to: directory)
    do { return try await body(directory) } catch DirectoryError.unreadable(let path, let why) {
      throw DirectoryError.unreadable(path, why: why.replacing("\(directory.filePath)/", with: ""))
    }
  }
}

/// An exported directory as one file, for where a directory cannot go.
package enum ExportArchive {
  /// Makes the directory of the archive's files. Throws `ArchiveError`, and what the disk says.
  package static func unpack(_ path: String, byteCount: Int, to directory: URL) throws {
    let archive = try ZipArchive(path: path, shown: "the archive")
    let names = [ExportManifest.fileName, ExportManifest.weightsName]
    try FileManager.default.createDirectory(
      at: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    for entry in archive.entries {
      // People pack the directory as well as what is in it.
      guard let name = names.first(where: { entry.name == $0 || entry.name.hasSuffix("/\($0)") })
      else { continue }
      guard entry.byteCount <= byteCount else {
        throw ArchiveError.entryTooLarge(
          path: "the archive", name: name, bytes: entry.byteCount, limit: byteCount)
      }
      try archive.extract(entry, to: directory.appending(path: name).filePath)
    }
  }

  /// The directory as an archive. Throws `FileError`, `DirectoryError.unreadable`.
  package static func pack(_ directory: URL) throws -> [UInt8] {
    var archive = ZipWriter()
    for name in [ExportManifest.fileName, ExportManifest.weightsName] {
      let path = directory.appending(path: name).filePath
      if name == ExportManifest.weightsName, !FileManager.default.fileExists(atPath: path) {
        continue
      }
      let file = try MappedFile(path: path)
      guard file.count < ZipWriter.mostBytes / 2 else {
        throw DirectoryError.unreadable(directory.filePath, why: "\(name) is too large")
      }
      archive.append(name, unsafe file.withBytes { unsafe Array($0) })
    }
    return archive.finish()
  }
}

extension AdapterStore {
  /// Whether that is what was brought, and not the disk's fault.
  package static func isProblemOfArchive(_ error: any Error) -> Bool {
    switch error {
    case ArchiveError.file, ArchiveError.noMemory: false
    case is ArchiveError: true
    default: false
    }
  }
}

extension DirectoryError {
  /// For who brought an archive, and knows no path of ours.
  package var wordsOfArchive: String {
    switch self {
    case .unreadable(_, let why): "it is no exported vBERT: \(why)"
    case .foreign(_, let what): "it is no exported vBERT: \(what)"
    case .damaged: "it has other bytes than were exported; export again, or take another copy"
    case .otherKind(_, let vbert):
      "it is of another task, base or domain than \(vbert); import it under a new name"
    case .exists, .untrained, .unwritable: description
    }
  }
}
