package import Files
package import Foundation

/// The bytes of files that tenants brought, below the home's files/: a file each, under its id. What is
/// here counts when the registry knows it.
package struct UploadedFiles: Sendable {
  package let home: Home

  package init(_ home: Home) { self.home = home }

  private var folder: URL { home.root.appending(path: "files", directoryHint: .isDirectory) }

  /// Where the bytes of a file are. `id` is one that the registry or `PublicID` made.
  package func path(of id: String) -> String { folder.appending(path: id).filePath }

  /// A file that is on its way: nothing is there before `commit`, and nothing stays without it.
  package func begin(_ id: String) throws(BlobError) -> Upload {
    do {
      try FileManager.default.createDirectory(
        at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
      return Upload(try AtomicFile(replacing: path(of: id)))
    } catch { throw BlobError("\(error)") }
  }

  private func part(of id: String) -> String { path(of: id) + Self.growing }
  private static let growing = ".part"

  /// A file that grows from its first `byteCount` bytes on, which were known to be on the disk; it is none until it is
  /// finished.
  package func grow(_ id: String, from byteCount: Int) throws(BlobError) -> GrowingFile {
    do {
      try FileManager.default.createDirectory(
        at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
      // It was finished, and whoever did it did not come to say so.
      if FileKind(URL(filePath: path(of: id))) == .file {
        try FileManager.default.moveItem(atPath: path(of: id), toPath: part(of: id))
      }
      return try GrowingFile(path: part(of: id), from: byteCount)
    } catch { throw BlobError("\(error)") }
  }

  /// What has grown is the file, on the disk when this returns.
  package func finish(_ id: String) throws(BlobError) {
    do { try AtomicFile.replace(path(of: id), by: part(of: id)) } catch {
      throw BlobError("\(error)")
    }
  }

  /// Of what grew and will be none.
  package func removeGrowing(_ id: String) {
    try? FileManager.default.removeItem(atPath: part(of: id))
  }

  /// At once and for good; nothing happens where there is nothing.
  package func remove(_ id: String) { try? FileManager.default.removeItem(atPath: path(of: id)) }

  /// Removes what is no file of the registry's and has been so for a week, and what uploads that were killed
  /// left. Touches no name that is not ours. Returns how many went. Throws what `known` does.
  package func sweep(
    age: TimeInterval = 7 * 86_400, now: Date = .now,
    known: ([String]) async throws -> Set<String>
  ) async throws -> Int {
    guard FileKind(folder) == .directory,
      let names = try? FileManager.default.contentsOfDirectory(atPath: folder.filePath)
    else { return 0 }
    let leftovers = Leftover.sweep(folder)
    func id(of name: String) -> String {
      name.hasSuffix(Self.growing) ? String(name.dropLast(Self.growing.count)) : name
    }
    let ours = names.filter { PublicID.isValid(id(of: $0), "file") }
    let kept = try await known(ours.map(id))
    let old = ours.filter { name in
      let place = folder.appending(path: name)
      guard !kept.contains(id(of: name)), FileKind(place) == .file,
        let time = try? place.resourceValues(forKeys: [.contentModificationDateKey])
          .contentModificationDate
      else { return false }
      return now.timeIntervalSince(time) > age
    }
    for name in old { remove(name) }
    return leftovers + old.count
  }
}

/// A file on its way to its name: one thread at a time writes to it.
package final class Upload {
  private var file: AtomicFile?

  fileprivate init(_ file: consuming AtomicFile) { self.file = consume file }

  package func append(_ bytes: some Sequence<UInt8>) throws(BlobError) {
    do { try file?.append(bytes) } catch { throw BlobError("\(error)") }
  }

  /// On the disk when this returns.
  package func commit() throws(BlobError) {
    guard let file = file.take() else { return }
    do { try file.commit() } catch { throw BlobError("\(error)") }
  }
}
