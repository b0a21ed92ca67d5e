internal import Crypto
internal import Files
internal import Foundation
internal import Model

extension BaseStore {
  static let stagingPrefix = ".staging-"

  /// Excludes other changes to the bases, in this process and others, and sweeps what a killed one
  /// left: with the lock held, nothing in preparation is alive.
  func lockForChange() throws(BaseError) -> FileLock? {
    do {
      try home.create()
      let lock = try home.lock("bases", wait: true)
      for name in try FileManager.default.contentsOfDirectory(
        atPath: home.bases.filePath)
      where name.hasPrefix(Self.stagingPrefix) {
        try FileManager.default.removeItem(at: home.bases.appending(path: name))
      }
      return lock
    } catch {
      throw .file(path: home.bases.filePath, why: "\(error)")
    }
  }

  /// Makes a base: `fill` writes its files into an empty directory, which is then opened as a base
  /// and moved to its place. Throws what `fill` throws, and `BaseError`; then nothing has appeared.
  func stage(
    _ name: String, distilled: Bool, source: String, _ fill: (URL) throws -> Void
  ) throws -> BaseRecord {
    try Self.check(name)
    let lock = try lockForChange()
    defer { withExtendedLifetime(lock) {} }
    guard !FileManager.default.fileExists(atPath: directory(name).filePath)
    else {
      throw BaseError.exists(name: name)
    }
    let staging = home.bases.appending(
      path: Self.stagingPrefix + UUID().uuidString, directoryHint: .isDirectory)
    try FileManager.default.createDirectory(at: staging, withIntermediateDirectories: false)
    defer { try? FileManager.default.removeItem(at: staging) }
    try fill(staging)
    var record = BaseRecord(
      name: name, kind: .dense, skipDepth: 0, distilled: distilled,
      contentHash: try Self.contentHash(staging), source: source, created: Date())
    let base = try Base(directory: staging, record: record)
    record.skipDepth = base.configuration.skipDepth
    record.kind = base.configuration.isSkip ? .skip : .dense
    try Self.write(Array(try record.json()), to: staging, Base.recordFile)
    try AtomicFile.flushDirectory(staging.filePath)
    try FileManager.default.moveItem(at: staging, to: directory(name))
    try AtomicFile.flushDirectory(home.bases.filePath)
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

  /// SHA-256 over each file's name, length and bytes.
  static func contentHash(_ directory: URL) throws -> String {
    var hash = SHA256()
    for name in [Base.configurationFile] + Base.vocabularyFiles + [Base.weightsFile] {
      let path = directory.appending(path: name).filePath
      guard FileManager.default.fileExists(atPath: path) else { continue }
      let file = try MappedFile(path: path)
      hash.update(data: Data("\(name) \(file.count)\n".utf8))
      unsafe file.withBytes { unsafe hash.update(bufferPointer: $0) }
    }
    return Hexadecimal.text(hash.finalize())
  }
}
