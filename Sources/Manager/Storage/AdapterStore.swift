package import Compute
internal import Foundation
package import Model

/// Trained parameters: a blob a version, stored once, and known by the registry's row with its SHA-256.
///
/// Publishing stores the blob, and only then commits the row: a crash at any instant leaves version n
/// or n+1, and at worst a blob that no row knows, which `collectOrphans` puts aside. Between blob and
/// commit a publisher holds back sweeps (`BlobStore.hold`), so no blob is taken away before its row is
/// there.
package struct AdapterStore: Sendable {
  /// Where results are kept that cannot be published yet.
  package let home: Home
  package let registry: any RegistryStore
  package let blobs: any BlobStore

  package init(home: Home, registry: any RegistryStore, blobs: any BlobStore) {
    (self.home, self.registry, self.blobs) = (home, registry, blobs)
  }

  /// Of a machine on its own.
  package init(registry: Registry) {
    self.init(home: registry.home, registry: registry, blobs: FileBlobs(registry.home))
  }

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
    vbert name: VBertName, spec: VBertSpec, base: Configuration, adapter: HostAdapter,
    metrics: [String: Double] = [:], note: String = ""
  ) async throws(AdapterError) -> VBertRecord {
    try await write(adapter, vbert: name, spec: spec, base: base) {
      blob async throws(RegistryError) in
      try await registry.create(
        vbert: name, spec: spec,
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
      guard let file = try await open(version) else {
        return try AdapterFile.adapter(version.spec, base: base, from: MemoryTensors())
      }
      try Self.check(file, spec: version.spec, base: base)
      return try AdapterFile.adapter(version.spec, base: base, from: file)
    } catch let error as AdapterError { throw error } catch {
      throw .corrupt(vbert: version.vbert.text, version: version.id.number, why: "\(error)")
    }
  }

  /// Deletes the vBERT, its versions and their blobs. Throws the registry's `noVBERT`.
  package func delete(vbert name: VBertName) async throws(RegistryError) {
    let stored = try await registry.versions(of: name).compactMap(\.blob)
    try await registry.delete(vbert: name)
    // What is left behind by a crash here, the collector finds.
    for blob in stored { try? await blobs.remove(blob.name) }
  }
}

extension AdapterStore {
  /// Writes the blob and runs `commit` with it before anybody may take it for an orphan. Parameters
  /// of nothing need no blob.
  private func write<Result>(
    _ adapter: HostAdapter, vbert: VBertName, spec: VBertSpec, base: Configuration,
    commit: (BlobRecord?) async throws(RegistryError) -> Result
  ) async throws(AdapterError) -> Result {
    let hold: BlobHold?
    do throws(BlobError) { hold = try await blobs.hold(wait: true) } catch {
      throw .unwritable(vbert: vbert.text, why: error.why)
    }
    defer { withExtendedLifetime(hold) {} }
    let blob = try await store(adapter, vbert: vbert, spec: spec, base: base)
    do { return try await commit(blob) } catch {
      await discard(blob, after: error)
      throw .registry(error)
    }
  }

  /// After a refusal, which left no row. When SQLite failed, the row may be on the disk all the same
  /// (if it was the flush that failed): the blob stays, and the collector asks the registry.
  func discard(_ blob: BlobRecord?, after error: RegistryError) async {
    guard let blob else { return }
    switch error {
    case .storage, .busy: break
    default: try? await blobs.remove(blob.name)
    }
  }

  /// Checks the parameters and stores their blob; nil for parameters of nothing. The caller holds back
  /// sweeps, so that nobody takes the blob for an orphan.
  func store(
    _ adapter: HostAdapter, vbert: VBertName, spec: VBertSpec, base: Configuration
  ) async throws(AdapterError) -> BlobRecord? {
    let tensors = AdapterFile.tensors(of: adapter)
    do {
      try spec.check(base: base)
      try AdapterFile.check(tensors.map { ($0.name, $0.shape) }, fit: spec, base: base)
      for tensor in tensors {
        try AdapterFile.check(values: tensor.values, name: tensor.name)
      }
    } catch { throw .unfit(vbert: vbert.text, why: "\(error)") }
    guard !tensors.isEmpty else { return nil }
    do {
      let content = tensors.map {
        SafetensorsTensor(name: $0.name, shape: $0.shape, floats: $0.values)
      }
      var metadata = try Self.metadata(vbert: vbert, spec: spec)
      let name = BlobKey.of(try SafetensorsWriter.bytes(content, metadata: metadata))
      // Its own name is the one member that the name cannot be made from.
      metadata["blob"] = name
      let bytes = try SafetensorsWriter.bytes(content, metadata: metadata)
      try await blobs.put(bytes, under: name)
      return BlobRecord(name: name, sha256: BlobKey.sha256(bytes), byteCount: bytes.count)
    } catch { throw .unwritable(vbert: vbert.text, why: "\(error)") }
  }

  /// The version's file with everything checked but its tensors; nil where none is needed.
  private func open(_ version: VersionRecord) async throws -> SafetensorsFile? {
    guard let blob = version.blob, let bytes = try await bytes(of: version) else { return nil }
    let file = try SafetensorsFile(bytes: bytes)
    guard file.metadata["blob"] == blob.name else {
      throw AdapterError.corrupt(
        vbert: version.vbert.text, version: version.id.number,
        why:
          "its file \(blobs.place(of: blob.name)) holds another version's parameters"
      )
    }
    return file
  }

  /// The version's blob as it was published; nil where none is needed. Throws `corrupt`.
  func bytes(of version: VersionRecord) async throws(AdapterError) -> [UInt8]? {
    guard let blob = version.blob else { return nil }
    func corrupt(_ why: String) -> AdapterError {
      .corrupt(
        vbert: version.vbert.text, version: version.id.number,
        why: "its file \(blobs.place(of: blob.name)) \(why)")
    }
    func read<Value>(
      _ body: () async throws(BlobError) -> Value
    ) async throws(AdapterError) -> Value {
      do { return try await body() } catch { throw corrupt("cannot be read: \(error.why)") }
    }
    func size() async throws(AdapterError) -> Int? {
      try await read { () async throws(BlobError) in try await blobs.size(of: blob.name) }
    }
    var found = try await size()
    // A collection may have had another registry's word.
    if found == nil, await blobs.recover(blob.name) { found = try await size() }
    guard let found else { throw corrupt("is missing") }
    guard found == blob.byteCount else {
      throw corrupt("has \(found) bytes instead of \(blob.byteCount)")
    }
    let bytes = try await read { () async throws(BlobError) in try await blobs.get(blob.name) }
    guard let bytes else { throw corrupt("is missing") }
    guard BlobKey.sha256(bytes) == blob.sha256 else {
      throw corrupt("has not the SHA-256 that it was published with")
    }
    return bytes
  }

  static func check(_ file: SafetensorsFile, spec: VBertSpec, base: Configuration) throws {
    let tensors = try file.names.map { ($0, try file.shape($0)) }
    try AdapterFile.check(tensors, fit: spec, base: base)
  }

  /// Enough to make a registry's row of the blob alone. With a serial number: the same parameters
  /// published twice are two blobs, so that each can go with its version.
  private static func metadata(
    vbert: VBertName, spec: VBertSpec
  ) throws -> [String: String] {
    [
      "format": "vbert-adapter-1", "serial": UUID().uuidString.lowercased(),
      "vbert": vbert.name.text, "tenant": vbert.tenant.text, "spec": try JSONText.encode(spec),
    ]
  }
}

/// The registry's errors as `AdapterError.registry`.
func registryErrors<Result>(
  _ body: () async throws(RegistryError) -> Result
) async throws(AdapterError) -> Result {
  do { return try await body() } catch { throw .registry(error) }
}
