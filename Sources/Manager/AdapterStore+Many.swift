package import Compute
package import Model

extension AdapterStore {
  /// What a vBERT's next version is made of; see `publish`.
  package struct Publication: Sendable {
    let adapter: HostAdapter
    let vbert: VBertRecord
    let spec: VBertSpec
    let metrics: [String: Double]
    let note: String
    let job: RunningJob?

    package init(
      _ adapter: HostAdapter, as vbert: VBertRecord, spec: VBertSpec, metrics: [String: Double],
      note: String, job: RunningJob?
    ) {
      (self.adapter, self.vbert, self.spec) = (adapter, vbert, spec)
      (self.metrics, self.note, self.job) = (metrics, note, job)
    }
  }

  /// Stores the next version of each of many vBERTs: files are written and flushed by all cores at
  /// once, then one transaction makes all versions current. What is wrong with one is its own
  /// failure. After a crash either all have their new version or none.
  package func publish(
    _ list: [Publication], base: Configuration
  ) -> [Result<VersionRecord, AdapterError>] {
    let stored = concurrentMap(list.count) { i -> Result<Stored?, AdapterError> in
      let item = list[i]
      return Result { () throws(AdapterError) in
        try store(item.adapter, vbert: item.vbert.name, spec: item.spec, base: base)
      }
    }
    defer { withExtendedLifetime(stored) {} }
    var rows: [Registry.NextVersion?] = []
    for (item, stored) in zip(list, stored) {
      guard case .success(let stored) = stored else {
        rows.append(nil)
        continue
      }
      rows.append(
        .init(
          vbert: item.vbert.id, name: item.vbert.name, spec: item.spec, blob: stored?.blob,
          metrics: item.metrics, note: item.note, job: item.job?.id))
    }
    let versions: [Result<VersionRecord, RegistryError>]
    do throws(RegistryError) {
      versions = try registry.publish(rows.compactMap(\.self))
    } catch {
      versions = rows.compactMap(\.self).map { _ in .failure(error) }
    }
    var next = versions.makeIterator()
    return list.indices.map { i in
      if case .failure(let error) = stored[i] { return .failure(error) }
      switch next.next() {
      case .success(let version)?:
        list[i].job?.removeLock()
        return .success(version)
      case .failure(let error)?:
        discard(rows[i]?.blob, after: error)
        return .failure(.registry(error))
      case nil: return .failure(.gone(VersionID(vbert: list[i].vbert.id, number: 0)))
      }
    }
  }
}
