internal import Files
internal import Foundation
internal import Model

/// The bases of a data directory: HOME/bases/NAME/ with config.json, the vocabulary's files,
/// model.safetensors (under Hugging Face's plain names) and base.json.
///
/// A base appears by one rename when all of it is on the disk and has been opened as `load` opens
/// it, and it is never changed afterwards: readers need no lock, kill -9 leaves nothing half-made.
package struct BaseStore: Sendable {
  package let home: Home

  package init(home: Home) { self.home = home }

  func directory(_ name: String) -> URL {
    home.bases.appending(path: name, directoryHint: .isDirectory)
  }

  /// All bases by name. A directory without a readable base.json is not a base.
  package func list() -> [BaseRecord] {
    let names =
      (try? FileManager.default.contentsOfDirectory(atPath: home.bases.filePath))
      ?? []
    return names.filter(Self.isValid).sorted().compactMap { try? record($0) }
  }

  /// What is known of one base. Throws `invalidName`, `noBase`.
  package func record(_ name: String) throws(BaseError) -> BaseRecord {
    try Self.check(name)
    let url = directory(name).appending(path: Base.recordFile)
    guard let json = try? Data(contentsOf: url) else {
      throw .noBase(name: name, known: list().map(\.name))
    }
    do {
      var record = try BaseRecord(json: json)
      // The directory's name rules, should somebody have renamed it.
      record.name = name
      return record
    } catch {
      throw .invalid(path: url.filePath, what: "\(error)")
    }
  }

  /// Opens a base. Throws `invalidName`, `noBase`, and `unsupported` or `invalid` for damaged files.
  package func load(_ name: String) throws(BaseError) -> Base {
    try Base(directory: directory(name), record: try record(name))
  }

  /// Takes a base away; who has it open keeps it until they close it. Throws `BaseError`.
  package func remove(_ name: String) throws(BaseError) {
    let lock = try lockForChange()
    defer { withExtendedLifetime(lock) {} }
    _ = try record(name)
    let grave = home.bases.appending(path: Self.stagingPrefix + UUID().uuidString)
    do {
      try FileManager.default.moveItem(at: directory(name), to: grave)
      try AtomicFile.flushDirectory(home.bases.filePath)
      try FileManager.default.removeItem(at: grave)
    } catch {
      throw .file(path: directory(name).filePath, why: "\(error)")
    }
  }

  /// 1 to 64 of a-z, 0-9, '.', '_', '-', beginning with a letter or digit.
  package static func isValid(_ name: String) -> Bool {
    let bytes = Array(name.utf8)
    func isPlain(_ byte: UInt8) -> Bool {
      (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
        || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
    guard let first = bytes.first, isPlain(first), bytes.count <= 64 else { return false }
    return bytes.allSatisfy { isPlain($0) || ".-_".utf8.contains($0) }
  }

  static func check(_ name: String) throws(BaseError) {
    guard isValid(name) else { throw .invalidName(name) }
  }
}
