extension AdapterStore {
  /// Whether the files of all current versions are gone (or have another size): of a sample at first,
  /// and if that is gone, of as many as `most`. False where no version has a file.
  package func isEveryBlobMissing(most: Int = 4096) async throws(RegistryError) -> Bool {
    for count in [16, most] {
      let sample = try await registry.sampleVersions(count)
      if sample.isEmpty { return false }
      for version in sample where await isPresent(version) { return false }
      if sample.count < count { return true }
    }
    return true
  }

  private func isPresent(_ version: VersionRecord) async -> Bool {
    guard let blob = version.blob else { return false }
    // A store that cannot be asked just now has lost nothing by that.
    do { return try await blobs.size(of: blob.name) == blob.byteCount } catch { return true }
  }
}
