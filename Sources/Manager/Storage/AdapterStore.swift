package import Compute
internal import Crypto
internal import Files
package import Foundation
package import Model

/// Trained parameters on the disk: a file a version, written once, under a random name that no other
/// version has, and known by the registry's row with its SHA-256.
///
/// Publishing writes the file, flushes it and its directory, and only then commits the row: a crash
/// at any instant leaves version n or n+1, and at worst a file that no row knows, which
/// `collectOrphans` removes. Between file and commit a publisher holds the lock `adapters` shared,
/// the collector holds it exclusively, so no file is taken away before its row is there.
package struct AdapterStore: Sendable {
  package let home: Home
  package let registry: any RegistryStore

  package init(home: Home, registry: any RegistryStore) {
    (self.home, self.registry) = (home, registry)
  }

  /// Of a machine on its own.
  package init(registry: Registry) { self.init(home: registry.home, registry: registry) }

  /// Stores the parameters as the vBERT's next version, the one that answers from now on, and ends
  /// `job`: `publish` of many, of one. Throws `unfit`, `unwritable`, `kept`, or the registry's
  /// `noVBERT`; then nothing has changed.
  @discardableResult
  package func publish(
    _ adapter: HostAdapter, as vbert: VBertRecord, spec: VBertSpec, base: Configuration,
    metrics: [String: Double] = [:], note: String = "", job: RunningJob? = nil,
    patience: Patience = Patience()
  ) async throws(AdapterError) -> VersionRecord {
    let one = Publication(adapter, as: vbert, spec: spec, metrics: metrics, note: note, job: job)
    guard let result = await publish([one], base: base, patience: patience).first else {
      throw .gone(VersionID(vbert: vbert.id, number: 0))
    }
    return try result.get()
  }

  /// Registers a vBERT together with its version 1: both or neither. Throws as `publish` and
  /// `Registry.create` do.
  @discardableResult
  package func create(
    vbert name: Name, tenant: Name = TenantRecord.defaultName, spec: VBertSpec,
    base: Configuration, adapter: HostAdapter, metrics: [String: Double] = [:], note: String = ""
  ) async throws(AdapterError) -> VBertRecord {
    try await write(adapter, vbert: name, tenant: tenant, spec: spec, base: base) {
      blob async throws(RegistryError) in
      try await registry.create(
        vbert: name, tenant: tenant, spec: spec,
        first: FirstVersion(blob: blob, metrics: metrics, note: note))
    }
  }

  /// The parameters of a version, checked against their hash, the registry and the base. Throws
  /// `gone`, `corrupt`.
  package func load(
    _ version: VersionRecord, base: Configuration
  ) async throws(AdapterError) -> HostAdapter {
    do {
      try version.spec.check(base: base)
      if version.spec.task.outputs(labels: 2) == 2, version.spec.labels.isEmpty {
        throw SpecProblem.untold
      }
      guard let file = try open(version) else {
        return try AdapterFile.adapter(version.spec, base: base, from: MemoryTensors())
      }
      try Self.check(file, spec: version.spec, base: base)
      return try AdapterFile.adapter(version.spec, base: base, from: file)
    } catch let error as AdapterError { throw error } catch {
      throw .corrupt(vbert: version.vbert.text, version: version.id.number, why: "\(error)")
    }
  }

  /// Deletes the vBERT, its versions and their files. Throws the registry's `noVBERT`.
  package func delete(vbert name: Name) async throws(RegistryError) {
    let blobs = try await registry.versions(of: name).compactMap(\.blob)
    try await registry.delete(vbert: name)
    // What is left behind by a crash here, the collector finds.
    for blob in blobs { try? FileManager.default.removeItem(at: url(blob.name)) }
  }

  /// adapters/<first two digits>/<name>.safetensors
  package func url(_ blob: String) -> URL { BlobFiles(home).url(blob) }
}

extension AdapterStore {
  /// Writes the blob and runs `commit` with it before anybody may take it for an orphan. Parameters
  /// of nothing need no blob.
  private func write<Result>(
    _ adapter: HostAdapter, vbert: Name, tenant: Name, spec: VBertSpec, base: Configuration,
    commit: (BlobRecord?) async throws(RegistryError) -> Result
  ) async throws(AdapterError) -> Result {
    let lock: FileLock?
    do { lock = try home.lock(Self.lockName, .shared, wait: true) } catch {
      throw .unwritable(vbert: vbert.text, why: "\(error)")
    }
    defer { withExtendedLifetime(lock) {} }
    let blob = try store(adapter, vbert: vbert, tenant: tenant, spec: spec, base: base)
    do { return try await commit(blob) } catch {
      discard(blob, after: error)
      throw .registry(error)
    }
  }

  /// After a refusal, which left no row. When SQLite failed, the row may be on the disk all the same
  /// (if it was the flush that failed): the file stays, and the collector asks the registry.
  func discard(_ blob: BlobRecord?, after error: RegistryError) {
    guard let blob else { return }
    switch error {
    case .storage, .busy: break
    default: try? FileManager.default.removeItem(at: url(blob.name))
    }
  }

  /// Checks the parameters and writes their blob; nil for parameters of nothing. The caller holds the
  /// lock `adapters`, so that nobody takes the blob for an orphan.
  func store(
    _ adapter: HostAdapter, vbert: Name, tenant: Name?, spec: VBertSpec, base: Configuration
  ) throws(AdapterError) -> BlobRecord? {
    let tensors = AdapterFile.tensors(of: adapter)
    do {
      try spec.check(base: base)
      try AdapterFile.check(tensors.map { ($0.name, $0.shape) }, fit: spec, base: base)
      for tensor in tensors {
        try AdapterFile.check(values: tensor.values, name: tensor.name)
      }
    } catch { throw .unfit(vbert: vbert.text, why: "\(error)") }
    guard !tensors.isEmpty else { return nil }
    let name = BlobFiles.makeName()
    do {
      try makeShard(of: name)
      try SafetensorsWriter.write(
        tensors.map { SafetensorsTensor(name: $0.name, shape: $0.shape, floats: $0.values) },
        metadata: Self.metadata(blob: name, vbert: vbert, tenant: tenant, spec: spec),
        to: url(name).filePath)
      let bytes = try Data(contentsOf: url(name))
      return BlobRecord(
        name: name, sha256: Array(SHA256.hash(data: bytes)), byteCount: bytes.count)
    } catch {
      try? FileManager.default.removeItem(at: url(name))
      throw .unwritable(vbert: vbert.text, why: "\(error)")
    }
  }

  private func makeShard(of blob: String) throws {
    let shard = url(blob).deletingLastPathComponent()
    if FileManager.default.fileExists(atPath: shard.filePath) { return }
    try FileManager.default.createDirectory(
      at: shard, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    try AtomicFile.flushDirectory(home.adapters.filePath)
  }

  /// The version's file with everything checked but its tensors; nil where none is needed.
  private func open(_ version: VersionRecord) throws -> SafetensorsFile? {
    guard let blob = version.blob, let bytes = try bytes(of: version) else { return nil }
    let file = try SafetensorsFile(bytes: [UInt8](bytes))
    guard file.metadata["blob"] == blob.name else {
      throw AdapterError.corrupt(
        vbert: version.vbert.text, version: version.id.number,
        why:
          "its file \(url(blob.name).filePath) holds another version's parameters"
      )
    }
    return file
  }

  /// The version's file as it was published; nil where none is needed. Throws `corrupt`.
  func bytes(of version: VersionRecord) throws(AdapterError) -> Data? {
    guard let blob = version.blob else { return nil }
    let url = url(blob.name)
    func corrupt(_ why: String) -> AdapterError {
      .corrupt(
        vbert: version.vbert.text, version: version.id.number,
        why: "its file \(url.filePath) \(why)")
    }
    func fileSize() -> Int? {
      // A URL remembers what it was told before.
      try? self.url(blob.name).resourceValues(forKeys: [.fileSizeKey]).fileSize
    }
    // A collection may have had another registry's word.
    guard let size = fileSize() ?? (restore(blob.name) ? fileSize() : nil) else {
      throw corrupt("is missing")
    }
    guard size == blob.byteCount else {
      throw corrupt("has \(size) bytes instead of \(blob.byteCount)")
    }
    // Read, not mapped: who shortens a mapped file faults the reader.
    let bytes: Data
    do { bytes = try Data(contentsOf: url) } catch {
      throw corrupt("cannot be read: \(plain(error))")
    }
    guard SHA256.hash(data: bytes).elementsEqual(blob.sha256) else {
      throw corrupt("has not the SHA-256 that it was published with")
    }
    return bytes
  }

  static func check(_ file: SafetensorsFile, spec: VBertSpec, base: Configuration) throws {
    let tensors = try file.names.map { ($0, try file.shape($0)) }
    try AdapterFile.check(tensors, fit: spec, base: base)
  }

  /// Enough to make a registry's row of the file alone.
  private static func metadata(
    blob: String, vbert: Name, tenant: Name?, spec: VBertSpec
  ) throws -> [String: String] {
    var metadata = [
      "format": "vbert-adapter-1", "blob": blob, "vbert": vbert.text,
      "spec": try JSONText.encode(spec),
    ]
    metadata["tenant"] = tenant?.text
    return metadata
  }

  /// Held shared from a file's appearance to its row's commit, exclusively while orphans go.
  static let lockName: String = "adapters"
}

/// The registry's errors as `AdapterError.registry`.
func registryErrors<Result>(
  _ body: () async throws(RegistryError) -> Result
) async throws(AdapterError) -> Result {
  do { return try await body() } catch { throw .registry(error) }
}
