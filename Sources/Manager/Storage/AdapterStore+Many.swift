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
    let work: TrainingWork?

    package init(
      _ adapter: HostAdapter, as vbert: VBertRecord, spec: VBertSpec, metrics: [String: Double],
      note: String, job: RunningJob?, work: TrainingWork? = nil
    ) {
      (self.adapter, self.vbert, self.spec) = (adapter, vbert, spec)
      (self.metrics, self.note, self.job) = (metrics, note, job)
      self.work = work
    }
  }

  /// Stores the next version of each of many vBERTs: blobs are stored by all cores at
  /// once under one hold, then one transaction makes all versions current. What is wrong with one is
  /// its own failure. After a crash either all have their new version or none.
  ///
  /// Where another process holds a lock, the results are kept as exported directories first, and then
  /// it waits, as long as `patience` says: work of hours is not lost to somebody's open transaction.
  package func publish(
    _ list: [Publication], base: Configuration, patience: Patience = Patience()
  ) async -> [Result<VersionRecord, AdapterError>] {
    let kept = KeptResults(list, home: home, patience)
    let hold: BlobHold
    switch await held(kept) {
    case .success(let held): hold = held
    case .failure(let why): return kept.failures(why)
    }
    defer { withExtendedLifetime(hold) {} }
    let stored = await concurrently(list.count) {
      i -> Result<BlobRecord?, AdapterError> in
      let item = list[i]
      do throws(AdapterError) {
        return .success(
          try await store(
            item.adapter, vbert: item.vbert.name, spec: item.spec, base: base))
      } catch { return .failure(error) }
    }
    let rows = zip(list, stored).map { item, stored -> NextVersion? in
      guard case .success(let blob) = stored else { return nil }
      return NextVersion(
        vbert: item.vbert.id, name: item.vbert.name, spec: item.spec, blob: blob,
        metrics: item.metrics, note: item.note, job: item.job, work: item.work)
    }
    var next = await commit(rows.compactMap(\.self), kept).makeIterator()
    var results: [Result<VersionRecord, AdapterError>] = []
    for i in list.indices {
      if case .failure(let error) = stored[i] {
        results.append(.failure(kept.after(i, error)))
        continue
      }
      switch next.next() {
      case .success(let version)?:
        kept.remove(i)
        results.append(.success(version))
      case .failure(let error)?:
        await discard(rows[i]?.blob, after: error)
        results.append(.failure(kept.after(i, .registry(error))))
      case nil: results.append(.failure(.gone(VersionID(vbert: list[i].vbert.id, number: 0))))
      }
    }
    return results
  }

  /// Under which no blob is taken for an orphan; waits for it with `kept`'s patience.
  private func held(_ kept: KeptResults) async -> Result<BlobHold, AdapterError> {
    do {
      while true {
        if let hold = try await blobs.hold(wait: false) { return .success(hold) }
        guard await kept.wait(blobs.lock) else {
          return .failure(.registry(.busy(path: blobs.lock)))
        }
      }
    } catch { return .failure(.unwritable(vbert: "", why: "\(error)")) }
  }

  private func commit(
    _ rows: [NextVersion], _ kept: KeptResults
  ) async -> [Result<VersionRecord, RegistryError>] {
    while true {
      do throws(RegistryError) { return try await registry.publish(rows) } catch {
        if case .busy(let path) = error, await kept.wait(path) { continue }
        return rows.map { _ in .failure(error) }
      }
    }
  }
}
