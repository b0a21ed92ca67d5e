internal import Files
internal import Foundation
internal import Glibc
internal import Model

extension BaseStore {
  static let stagingPrefix = ".staging-"

  /// Excludes other changes to the bases, in this process and others, and sweeps what a killed one
  /// left.
  func lockForChange() throws(BaseError) -> FileLock? {
    do {
      try home.create()
      let lock = try home.lock(Self.lockName, wait: true)
      try Self.sweepStaging(home)
      return lock
    } catch {
      throw .file(path: home.bases.filePath, why: plain(error))
    }
  }

  static let lockName = "bases"

  /// With the lock held, nothing in preparation is alive. Returns how many went.
  @discardableResult
  static func sweepStaging(_ home: Home) throws -> Int {
    let left = try FileManager.default.contentsOfDirectory(atPath: home.bases.filePath)
      .filter { $0.hasPrefix(stagingPrefix) }
    for name in left {
      try FileManager.default.removeItem(at: home.bases.appending(path: name))
    }
    return left.count
  }

  /// Makes a base: `fill` writes its files into an empty directory, which is then opened as a base
  /// with all its values checked, and moved to its place. A base of that name that is damaged gets
  /// its files back instead, if they are the ones that it had. Throws what `fill` throws, and
  /// `BaseError`, which calls the files by `path`; then nothing has appeared or changed.
  func stage(
    _ name: String, distilled: Bool, source: String, path: String? = nil, defaults: BaseDefaults,
    _ fill: (URL) throws -> Void
  ) throws -> BaseRecord {
    try Self.check(name)
    let lock = try lockForChange()
    defer { withExtendedLifetime(lock) {} }
    let isTaken = try exists(name)
    guard try !isTaken || isDamaged(name) else { throw BaseError.exists(name: name) }
    let staging = home.bases.appending(
      path: Self.stagingPrefix + UUID().uuidString, directoryHint: .isDirectory)
    try FileManager.default.createDirectory(
      at: staging, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
    defer { try? FileManager.default.removeItem(at: staging) }
    try fill(staging)
    let contents = try BaseContents(staging)
    var record = BaseRecord(
      name: name, kind: .dense, skipDepth: 0, distilled: distilled,
      contentHash: contents.contentHash(), source: source, created: Date(),
      defaults: defaults)
    let base = try Base(contents, record: record, path: path ?? source)
    try base.checkValues(path: path ?? source)
    record.skipDepth = base.configuration.skipDepth
    record.kind = base.configuration.isSkip ? .skip : .dense
    record.files = contents.files()
    if isTaken { return try repair(name, from: staging, record) }
    try Self.write(Array(try record.json()), to: staging, Base.recordFile)
    try AtomicFile.flushDirectory(staging.filePath)
    try FileManager.default.moveItem(at: staging, to: directory(name))
    try AtomicFile.flushDirectory(home.bases.filePath)
    return record
  }

  private func isDamaged(_ name: String) throws(BaseError) -> Bool {
    do { _ = try load(name) } catch .damaged { return true } catch .invalid, .unsupported, .value {
      // As it was made, by an older vbert; it is removed rather than repaired.
      return false
    }
    return false
  }

  /// Gives a damaged base its files back, one rename each, base.json last: killed at any instant, it
  /// is still damaged or whole again. Its tables stay. Where base.json does not say what the base
  /// was, these files are what it is from now on; whatever was made for another hash refuses it.
  private func repair(_ name: String, from staging: URL, _ record: BaseRecord) throws -> BaseRecord
  {
    var record = record
    if let old = try? self.record(name) {
      guard old.contentHash == record.contentHash else {
        throw BaseError.otherThanDamaged(
          name: name, was: old.contentHash, found: record.contentHash)
      }
      (record.created, record.source, record.distilled) = (old.created, old.source, old.distilled)
      record.defaults = old.defaults.or(record.defaults)
    }
    let place = directory(name)
    for file in BaseContents.names {
      let (new, old) = (staging.appending(path: file), place.appending(path: file))
      if FileManager.default.fileExists(atPath: new.filePath) {
        guard unsafe rename(new.filePath, old.filePath) == 0 else {
          throw BaseError.file(path: old.filePath, why: unsafe String(cString: strerror(errno)))
        }
      } else if FileManager.default.fileExists(atPath: old.filePath) {
        try FileManager.default.removeItem(at: old)
      }
    }
    try AtomicFile.flushDirectory(place.filePath)
    try Self.write(Array(try record.json()), to: place, Base.recordFile)
    return record
  }

  static func write(_ bytes: [UInt8], to directory: URL, _ name: String) throws {
    var file = try AtomicFile(
      replacing: directory.appending(path: name).filePath)
    try file.append(bytes)
    try file.commit()
  }

  /// The weights in the order of their names, so that equal content has an equal hash.
  static func write(_ tensors: [SafetensorsTensor], to directory: URL) throws {
    try SafetensorsWriter.write(
      tensors.sorted { $0.name < $1.name }, metadata: ["format": "pt"],
      to: directory.appending(path: Base.weightsFile).filePath)
  }
}
