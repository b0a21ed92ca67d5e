package import Manager
internal import Model

/// A home's own vBERTs as witnesses of whether the server works.
package struct StoredWitnesses: ProbeWitnesses {
  private let store: AdapterStore

  package init(store: AdapterStore) { self.store = store }

  package func some(_ count: Int) async -> [PinnedVBert] {
    let found = (try? await store.registry.sampleVersions(count)) ?? []
    return found.map { PinnedVBert(id: $0.id, name: $0.vbert.text, spec: $0.spec) }
  }

  package func storageFailure() -> String? {
    do {
      return try blocking { () async throws(RegistryError) in try await store.isEveryBlobMissing() }
        ? "the stored parameters of every vBERT are missing" : nil
    } catch {
      return "the registry cannot be read: \(error)"
    }
  }
}
