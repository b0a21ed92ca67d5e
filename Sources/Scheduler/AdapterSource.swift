package import Compute
package import Manager
package import Model

/// Where resident adapters come from; `AdapterCache` or `MovedAdapters` in service, anything in tests.
package protocol AdapterSource: Sendable {
  /// `base`: the shape of the base that it is for.
  func resident(
    for id: VersionID, base: Configuration
  ) throws(AdapterError) -> any ResidentAdapter
  /// The same for all of a batch; a base for each.
  func residents(
    for ids: [VersionID], bases: [Configuration]
  ) -> [Result<any ResidentAdapter, AdapterError>]
}

extension AdapterSource {
  package func residents(
    for ids: [VersionID], bases: [Configuration]
  ) -> [Result<any ResidentAdapter, AdapterError>] {
    zip(ids, bases).map { id, base in
      Result { () throws(AdapterError) in try resident(for: id, base: base) }
    }
  }
}

extension AdapterCache: AdapterSource {}

/// Two tiers: `cache` holds adapters in host memory, and `mover` brings those of a batch from there to
/// the device, all in one go.
package struct MovedAdapters: AdapterSource {
  private let cache: AdapterCache
  private let mover: any AdapterMover

  /// `cache` must load with the mover's `keep`.
  package init(_ cache: AdapterCache, mover: any AdapterMover) {
    (self.cache, self.mover) = (cache, mover)
  }

  package func resident(
    for id: VersionID, base: Configuration
  ) throws(AdapterError) -> any ResidentAdapter {
    try residents(for: [id], bases: [base])[0].get()
  }

  package func residents(
    for ids: [VersionID], bases: [Configuration]
  ) -> [Result<any ResidentAdapter, AdapterError>] {
    let kept = cache.residents(for: ids, bases: bases)
    var brought: [any ResidentAdapter] = []
    do throws(ComputeError) {
      brought = try mover.bring(kept.compactMap { try? $0.get() })
    } catch {
      return zip(ids, kept).map { id, kept in
        kept.flatMap { _ in
          .failure(
            .unloadable(vbert: "#\(id.vbert)", version: id.number, why: error.description))
        }
      }
    }
    var next = brought.makeIterator()
    return kept.map { kept in kept.map { next.next() ?? $0 } }
  }
}
