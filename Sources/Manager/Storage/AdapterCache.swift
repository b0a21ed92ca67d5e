package import Compute
internal import Dispatch
package import Model
internal import Synchronization

/// The parameters that one device holds ready, as many as fit into a number of bytes.
///
/// A batch holds what it got by reference, so a version that is evicted, replaced or deleted
/// meanwhile is freed when the last batch on it is done; until then it is over and above the bound,
/// as is what is being loaded. Any thread may call. Versions never change, so nothing is ever stale;
/// failures are not remembered, so a restored file serves again at once.
package final class AdapterCache: Sendable {
  /// Brings parameters to the device: `Backend.load`.
  package typealias Load = @Sendable (HostAdapter) throws -> any ResidentAdapter

  private struct State {
    var resident: ClockCache<VersionID, any ResidentAdapter>
    var loading: [VersionID: Loading] = [:]
    var statistics: AdapterCacheStatistics
  }

  private let store: AdapterStore
  /// A device's lane takes one thread at a time.
  private let upload: Mutex<Load>
  private let state: Mutex<State>

  /// `bound` in bytes on the device. `load` is called from whichever thread asks, one at a time.
  package init(store: AdapterStore, bound: Int, load: @escaping Load) {
    self.store = store
    upload = Mutex(load)
    state = Mutex(
      State(
        resident: ClockCache(bound: bound), statistics: AdapterCacheStatistics(bound: bound)))
  }

  /// The version's parameters on the device: from memory, or read, checked against the base's shape and
  /// loaded now. Who asks for a version that another thread is loading waits for it. Throws `AdapterError`.
  package func resident(
    for id: VersionID, base: Configuration
  ) throws(AdapterError) -> any ResidentAdapter {
    enum Way {
      case ready(any ResidentAdapter)
      case wait(Loading)
      case load(Loading)
    }
    let way: Way = state.withLock { state in
      if let adapter = state.resident.value(for: id) {
        state.statistics.hits += 1
        return .ready(adapter)
      }
      if let loading = state.loading[id] {
        state.statistics.hits += 1
        return .wait(loading)
      }
      state.statistics.misses += 1
      let loading = Loading()
      state.loading[id] = loading
      return .load(loading)
    }
    switch way {
    case .ready(let adapter): return adapter
    case .wait(let loading): return try loading.result()
    case .load(let loading):
      let result = Result { () throws(AdapterError) in
        try blocking { () async throws(AdapterError) in try await self.load(id, base) }
      }
      finish(id, result)
      loading.finish(result)
      return try result.get()
    }
  }

  /// The same for all of a batch; what is missing is read by all cores at once.
  package func residents(
    for ids: [VersionID], bases: [Configuration]
  ) -> [Result<any ResidentAdapter, AdapterError>] {
    let ready = state.withLock { state in
      ids.map { id -> (any ResidentAdapter)? in
        guard let adapter = state.resident.value(for: id) else { return nil }
        state.statistics.hits += 1
        return adapter
      }
    }
    let missing = ids.indices.filter { ready[$0] == nil }
    var found = concurrentMap(missing.count) { i in
      Result { () throws(AdapterError) in
        try resident(for: ids[missing[i]], base: bases[missing[i]])
      }
    }.makeIterator()
    return zip(ids, ready).map { id, ready in
      ready.map { .success($0) } ?? found.next() ?? .failure(.gone(id))
    }
  }

  /// Counts since the start, and what is resident now.
  package var statistics: AdapterCacheStatistics { state.withLock(\.statistics) }

  private func load(
    _ id: VersionID, _ base: Configuration
  ) async throws(AdapterError) -> any ResidentAdapter {
    let found = try await registryErrors { () async throws(RegistryError) in
      try await store.registry.version(id)
    }
    guard let version = found else { throw .gone(id) }
    func unloadable(_ why: any Error) -> AdapterError {
      .unloadable(vbert: version.vbert.text, version: id.number, why: "\(why)")
    }
    let adapter = try await store.load(version, base: base)
    do { return try upload.withLock { try $0(adapter) } } catch { throw unloadable(error) }
  }

  private func finish(_ id: VersionID, _ result: Result<any ResidentAdapter, AdapterError>) {
    // Evicted adapters are freed after the lock is let go.
    let evicted = state.withLock { state -> [any ResidentAdapter] in
      state.loading[id] = nil
      guard case .success(let adapter) = result else {
        state.statistics.failures += 1
        return []
      }
      let evicted = state.resident.insert(adapter, for: id, cost: adapter.byteCount)
      state.statistics.evictions += evicted.count
      state.statistics.residentCount = state.resident.count
      state.statistics.residentBytes = state.resident.cost
      return evicted
    }
    withExtendedLifetime(evicted) {}
  }
}

package struct AdapterCacheStatistics: Sendable, Equatable {
  /// Requests answered from memory, or by another request's load.
  package internal(set) var hits = 0
  package internal(set) var misses = 0
  package internal(set) var failures = 0
  package internal(set) var evictions = 0
  package internal(set) var residentCount = 0
  package internal(set) var residentBytes = 0
  package let bound: Int

  init(bound: Int) { self.bound = bound }
}

/// A load in progress, for those who wait for it.
private final class Loading: Sendable {
  private let done = DispatchSemaphore(value: 0)
  private let outcome = Mutex<Result<any ResidentAdapter, AdapterError>?>(nil)

  func finish(_ result: Result<any ResidentAdapter, AdapterError>) {
    outcome.withLock { $0 = result }
    done.signal()
  }

  func result() throws(AdapterError) -> any ResidentAdapter {
    while true {
      if let outcome = outcome.withLock({ $0 }) { return try outcome.get() }
      done.wait()
      // Wakes the next of those who wait.
      done.signal()
    }
  }
}
