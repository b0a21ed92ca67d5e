internal import Compute
internal import Crypto
internal import Files
package import Foundation
package import Model

/// vbert.json of an exported vBERT.
struct ExportManifest: Codable {
  var format: String
  var name: Name
  var version: Int
  var spec: VBertSpec
  var metrics: [String: Double]
  var note: String
  /// Of adapter.safetensors, hexadecimal; nil without such a file, and from an older vbert.
  var adapterSHA256: String?

  enum CodingKeys: String, CodingKey {
    case format, name, version, spec, metrics, note
    case adapterSHA256 = "adapter_sha256"
  }

  static let format: String = "vbert-1"
  static let fileName: String = "vbert.json"
  static let weightsName: String = "adapter.safetensors"
  /// A manifest longer than this is none.
  static let mostBytes = 16 << 20
}

extension ExportManifest {
  init(_ name: VBertName, _ version: VersionRecord) {
    self.init(
      format: Self.format, name: name.name, version: version.id.number, spec: version.spec,
      metrics: version.metrics, note: version.note)
  }
}

extension AdapterStore {
  /// Writes the current version (or the one of that number) as a directory of two files: vbert.json
  /// says what it is, adapter.safetensors holds its parameters (absent where there are none). The
  /// directory appears whole or not at all. Throws `DirectoryError`, `AdapterError`, and the
  /// registry's `noVBERT`, `noVersion`.
  @discardableResult
  package func export(
    vbert name: VBertName, version number: Int? = nil, to directory: URL
  ) async throws -> VersionRecord {
    let version = try await exported(name, number)
    let manifest = ExportManifest(name, version)
    try Self.checkFree(directory)
    let bytes = try await bytes(of: version)
    try Self.write(manifest, to: directory) { path in
      if let bytes { try AtomicFile.write(bytes, to: path) }
    }
    return version
  }

  /// Throws `DirectoryError.untrained`, and the registry's `noVBERT`, `noVersion`.
  func exported(_ name: VBertName, _ number: Int?) async throws -> VersionRecord {
    let versions = try await registry.versions(of: name)
    var wanted = number
    if wanted == nil { wanted = try await registry.vbert(name).version?.number }
    guard let version = versions.first(where: { $0.id.number == wanted }) else {
      guard let wanted else { throw DirectoryError.untrained(name) }
      throw RegistryError.noVersion(
        vbert: name.text, number: wanted, have: versions.map(\.id.number))
    }
    return version
  }

  /// Makes a vBERT of an exported directory, under its own name and this tenant unless another name is given. `baseShape`
  /// says whether the base that it was made for is here. Throws `DirectoryError`, `AdapterError`,
  /// and what `baseShape` throws; then nothing was made.
  @discardableResult
  package func importDirectory(
    _ directory: URL, name: VBertName? = nil, tenant: Name = .default,
    baseShape: (VBertSpec) throws -> Model.Configuration
  ) async throws -> VBertRecord {
    let (manifest, base, adapter) = try Self.read(directory, baseShape)
    return try await create(
      vbert: name ?? VBertName(manifest.name, of: tenant), spec: manifest.spec, base: base,
      adapter: adapter, metrics: manifest.metrics,
      note: manifest.note.isEmpty ? "imported" : "imported: \(manifest.note)")
  }

  private static func read(
    _ directory: URL, _ baseShape: (VBertSpec) throws -> Model.Configuration
  ) throws -> (ExportManifest, Model.Configuration, HostAdapter) {
    let manifest = try Self.manifest(directory)
    let base = try baseShape(manifest.spec)
    do {
      try manifest.spec.check(base: base)
      if let domain = manifest.spec.domain { try PLOTDomain.check(name: domain) }
    } catch {
      throw DirectoryError.unreadable(
        directory.filePath, why: "\(ExportManifest.fileName): \(error)")
    }
    var source: any TensorSource = MemoryTensors()
    if manifest.spec.hasParameters {
      do {
        let path = directory.appending(path: ExportManifest.weightsName).filePath
        let bytes = try MappedFile(path: path)
        if let expected = manifest.adapterSHA256 {
          guard unsafe bytes.withBytes({ unsafe sha256($0) }) == expected else {
            throw DirectoryError.damaged(path)
          }
        }
        let file = try SafetensorsFile(bytes, path: path)
        try Self.check(file, spec: manifest.spec, base: base)
        source = file
      } catch let error as DirectoryError { throw error } catch let error as FileError {
        throw DirectoryError.unreadable(
          directory.filePath, why: "\(ExportManifest.weightsName): \(error.reason)")
      } catch {
        throw DirectoryError.unreadable(
          directory.filePath, why: "\(ExportManifest.weightsName): \(error)")
      }
    }
    do {
      return (
        manifest, base, try AdapterFile.adapter(manifest.spec, base: base, from: source)
      )
    } catch {
      throw DirectoryError.unreadable(
        directory.filePath, why: "\(ExportManifest.weightsName): \(error)")
    }
  }

  /// The same of what is not published yet, as version 0.
  static func write(_ item: Publication, to directory: URL) throws {
    let manifest = ExportManifest(
      format: ExportManifest.format, name: item.vbert.name.name, version: 0, spec: item.spec,
      metrics: item.metrics, note: item.note)
    let tensors = AdapterFile.tensors(of: item.adapter)
    try write(manifest, to: directory) { path in
      guard !tensors.isEmpty else { return }
      try SafetensorsWriter.write(
        tensors.map { SafetensorsTensor(name: $0.name, shape: $0.shape, floats: $0.values) },
        to: path)
    }
  }

  static func sha256(_ bytes: UnsafeRawBufferPointer) -> String {
    var hash = SHA256()
    unsafe hash.update(bufferPointer: bytes)
    return Hexadecimal.text(hash.finalize())
  }

  private static func checkFree(_ directory: URL) throws(DirectoryError) {
    let path = directory.filePath
    if FileManager.default.fileExists(atPath: path) { throw .exists(path) }
  }

  private static func write(
    _ manifest: ExportManifest, to directory: URL, weights: (_ path: String) throws -> Void
  ) throws {
    try checkFree(directory)
    let path = directory.filePath
    let parent = directory.standardizedFileURL.deletingLastPathComponent()
    let temporary = parent.appending(
      path: Leftover.prefix + UUID().uuidString, directoryHint: .isDirectory)
    func file(_ name: String) -> String {
      temporary.appending(path: name).filePath
    }
    do {
      try FileManager.default.createDirectory(
        at: temporary, withIntermediateDirectories: false,
        attributes: [.posixPermissions: 0o700])
      try weights(file(ExportManifest.weightsName))
      var manifest = manifest
      if FileManager.default.fileExists(atPath: file(ExportManifest.weightsName)) {
        let bytes = try MappedFile(path: file(ExportManifest.weightsName))
        manifest.adapterSHA256 = unsafe bytes.withBytes { unsafe sha256($0) }
      }
      try AtomicFile.write(
        [UInt8](try JSONText.encode(manifest).utf8), to: file(ExportManifest.fileName))
      try FileManager.default.moveItem(at: temporary, to: directory)
      try AtomicFile.flushDirectory(parent.filePath)
    } catch {
      try? FileManager.default.removeItem(at: temporary)
      throw DirectoryError.unwritable(path, why: plain(error))
    }
  }

  /// Publishes an exported directory as the next version of a vBERT that is there, of the same task
  /// and on the same base. Throws `DirectoryError`, `AdapterError`, `RegistryError`, and what
  /// `baseShape` throws; then nothing has changed.
  @discardableResult
  package func importDirectory(
    _ directory: URL, into name: VBertName, patience: Patience = Patience(),
    baseShape: (VBertSpec) throws -> Model.Configuration
  ) async throws -> VersionRecord {
    let vbert = try await registry.vbert(name)
    let (manifest, base, adapter) = try Self.read(directory, baseShape)
    guard manifest.spec.task == vbert.spec.task, manifest.spec.baseHash == vbert.spec.baseHash,
      manifest.spec.domain == vbert.spec.domain
    else { throw DirectoryError.otherKind(directory.filePath, vbert: name) }
    return try await publish(
      adapter, as: vbert, spec: manifest.spec, base: base, metrics: manifest.metrics,
      note: manifest.note.isEmpty ? "imported" : "imported: \(manifest.note)", patience: patience)
  }

  private static func manifest(_ directory: URL) throws(DirectoryError) -> ExportManifest {
    do {
      let path = directory.appending(path: ExportManifest.fileName).filePath
      if !FileManager.default.fileExists(atPath: path), let adapter = foreignAdapter(directory) {
        throw DirectoryError.foreign(directory.filePath, what: adapter)
      }
      let file = try MappedFile(path: path)
      guard file.count <= ExportManifest.mostBytes else {
        throw DirectoryError.unreadable(
          directory.filePath, why: "\(ExportManifest.fileName) is too large")
      }
      let manifest = try decodeJSON(
        ExportManifest.self, from: unsafe file.withBytes { unsafe Array($0) })
      guard manifest.format == ExportManifest.format else {
        throw DirectoryError.unreadable(
          directory.filePath,
          why: "its format is \"\(clipped(manifest.format))\"")
      }
      return manifest
    } catch let error as DirectoryError { throw error } catch let error as FileError {
      throw .unreadable(directory.filePath, why: "\(ExportManifest.fileName): \(error.reason)")
    } catch {
      throw .unreadable(
        directory.filePath, why: "\(ExportManifest.fileName): \(plain(error))")
    }
  }

  /// What else the directory may be: an adapter of another library, or a model; nil where it is neither.
  private static func foreignAdapter(_ directory: URL) -> String? {
    func holds(_ name: String) -> Bool {
      FileManager.default.fileExists(atPath: directory.appending(path: name).filePath)
    }
    if holds("adapter_config.json") {
      let isHub = holds("pytorch_adapter.bin") || holds("head_config.json")
      return
        "adapter_config.json: an adapter of \(isHub ? "AdapterHub's library" : "PEFT"), whose parameters "
        + "are not read here; merge it into its model (PEFT: merge_and_unload) and take that in with "
        + "vbert base import, or train a vBERT on the rows that it learnt from"
    }
    return holds("config.json")
      ? "config.json: a model; take it in with vbert base import" : nil
  }
}

/// What stands against an export or an import.
package enum DirectoryError: Error, Equatable, CustomStringConvertible {
  case exists(String)
  case untrained(VBertName)
  case otherKind(String, vbert: VBertName)
  case unwritable(String, why: String)
  case unreadable(String, why: String)
  /// Something else that other libraries write.
  case foreign(String, what: String)
  /// Parameters that are not those that were exported.
  case damaged(String)

  package var description: String {
    switch self {
    case .exists(let path): "\(path) exists already; export to a directory that does not"
    case .otherKind(let path, let vbert):
      "\(path) is of another task, base or domain than \(vbert); import it under a new name with --name"
    case .damaged(let path):
      "\(path) is damaged: it has other bytes than were exported; export again, or take another copy"
    case .foreign(let path, let what): "\(path) is not an exported vBERT: \(what)"
    case .untrained(let name): "\(name) has no version to export; train it first"
    case .unwritable(let path, let why): "\(path) cannot be written: \(why)"
    case .unreadable(let path, let why):
      "\(path) is not an exported vBERT: \(why); it needs vbert.json and adapter.safetensors as "
        + "vbert export writes them"
    }
  }
}
