internal import Files
internal import Foundation
internal import Model

/// The bases of a data directory: HOME/bases/NAME/ with config.json, the vocabulary's files,
/// model.safetensors (under Hugging Face's plain names) and base.json.
///
/// A base appears by one rename when all of it is on the disk and has been opened as `load` opens
/// it, and what it computes never changes afterwards: readers need no lock, kill -9 leaves nothing
/// half-made.
package struct BaseStore: Sendable {
  package let home: Home

  package init(home: Home) { self.home = home }

  func directory(_ name: String) -> URL {
    home.bases.appending(path: name, directoryHint: .isDirectory)
  }

  /// One base of a listing.
  package struct Entry: Sendable {
    package let name: String
    /// The failure is why its base.json says nothing.
    package let record: Result<BaseRecord, BaseError>
  }

  /// All bases by name; one whose base.json is damaged too. Throws `BaseError.file`.
  package func list() throws(BaseError) -> [Entry] {
    try names().map { name in
      Entry(name: name, record: Result { () throws(BaseError) in try record(name) })
    }
  }

  /// Every directory of a base's name is a base: they appear whole.
  private func names() throws(BaseError) -> [String] {
    let files = FileManager.default
    guard files.fileExists(atPath: home.bases.filePath) else { return [] }
    do {
      return try files.contentsOfDirectory(atPath: home.bases.filePath)
        .filter { Self.isValid($0) && isDirectory($0) }.sorted()
    } catch {
      throw .file(path: home.bases.filePath, why: plain(error))
    }
  }

  private func isDirectory(_ name: String) -> Bool {
    var isDirectory: ObjCBool = false
    return unsafe FileManager.default.fileExists(
      atPath: directory(name).filePath, isDirectory: &isDirectory) && isDirectory.boolValue
  }

  /// Whether there is something of this name, be it damaged. Throws `invalidName`.
  package func exists(_ name: String) throws(BaseError) -> Bool {
    try Self.check(name)
    return FileManager.default.fileExists(atPath: directory(name).filePath)
  }

  /// Throws `invalidName`, `noBase`.
  package func require(_ name: String) throws(BaseError) {
    guard try exists(name) else { throw .noBase(name: name, known: try names()) }
  }

  /// What is known of one base. Throws `invalidName`, `noBase`, and `damaged` where its base.json
  /// is.
  package func record(_ name: String) throws(BaseError) -> BaseRecord {
    try require(name)
    let url = directory(name).appending(path: Base.recordFile)
    guard FileManager.default.fileExists(atPath: url.filePath) else {
      throw .damaged(name: name, files: ["\(Base.recordFile) (is missing)"])
    }
    let json: [UInt8]
    do {
      let file = try MappedFile(path: url.filePath)
      json = unsafe file.withBytes { unsafe Array($0.prefix(Base.configurationLimit)) }
    } catch { throw .file(path: url.filePath, why: "\(error)") }
    do {
      var record = try BaseRecord(json: Data(json))
      // The directory's name rules, should somebody have renamed it.
      record.name = name
      return record
    } catch {
      throw .damaged(name: name, files: ["\(Base.recordFile) (\(error))"])
    }
  }

  /// Takes a base away, be it damaged; who has it open keeps it until they close it. Throws
  /// `BaseError`.
  package func remove(_ name: String) throws(BaseError) {
    let lock = try lockForChange()
    defer { withExtendedLifetime(lock) {} }
    try require(name)
    let grave = home.bases.appending(path: Self.stagingPrefix + UUID().uuidString)
    do {
      try FileManager.default.moveItem(at: directory(name), to: grave)
      try AtomicFile.flushDirectory(home.bases.filePath)
      try FileManager.default.removeItem(at: grave)
    } catch {
      throw .file(path: directory(name).filePath, why: plain(error))
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
