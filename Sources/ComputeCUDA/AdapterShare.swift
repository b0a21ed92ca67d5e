internal import Compute

/// How much of a GPU adapters get. `kept` is the bound of whoever keeps them ready (the cache of a
/// server); the page pool may take more, since an adapter that is being loaded, or was evicted while
/// a batch still reads it, is over and above that bound.
struct AdapterShare: Equatable {
  let kept: Int
  let pool: Int

  /// Most that the pool takes beyond what is kept.
  static let mostSpare = 4 << 30

  /// Throws `outOfMemory` where more is wanted than there is.
  init(adapterBytes: Int, freeBytes: Int) throws(ComputeError) {
    kept = adapterBytes
    let spare = min(kept / 4, AdapterShare.mostSpare)
    guard kept <= freeBytes else {
      throw .outOfMemory(requestedBytes: kept - freeBytes, flag: "--cache-bytes")
    }
    pool = max(kept + spare, PagePool.pageBytes)
  }
}
