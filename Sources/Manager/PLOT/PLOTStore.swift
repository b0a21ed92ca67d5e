internal import Files
package import Foundation
private import Synchronization

/// All that is stored of one base's local layers: the general table, the domains' tables (files,
/// immutable), and one cache in memory of the n-grams that were missing and have been computed.
///
/// The cache is shared by all domains, since a computed row is the same whoever asked for it. Rows
/// in it have the general table's format, and every computed row is rounded to that format whether
/// it is admitted or not: so what else is being served never changes an answer.
package final class PLOTStore: Sendable {
  /// Of computed rows.
  package let format: PLOTRowFormat
  package let skipDepth: Int
  package let general: PLOTDomain
  let cache: PLOTCache
  let baseHash: String
  let directory: URL?
  private let domains = Mutex<[String: PLOTDomain]>([:])

  /// Opens the base's `plot` directory; without one, or without files in it, everything is computed
  /// and cached in the format `type`. The cache is bounded by `cacheBytes`; 0 keeps nothing. Throws
  /// `PLOTError` when there is a general table and it cannot be used.
  package init(
    directory: URL?, baseHash: String, hidden: Int, skipDepth: Int, cacheBytes: Int,
    type: PLOTRowType = .float16
  ) throws(PLOTError) {
    var files: [PLOTFile] = []
    if let url = directory.map({ PLOTStore.file(in: $0, domain: nil) }),
      FileManager.default.fileExists(atPath: url.filePath)
    {
      files = [try PLOTFile(opening: url, baseHash: baseHash, hidden: hidden)]
    }
    self.directory = directory
    self.baseHash = baseHash
    self.skipDepth = skipDepth
    general = PLOTDomain(name: nil, files: files, number: 0)
    format = PLOTRowFormat(type: files.first?.format.type ?? type, hidden: hidden)
    cache = PLOTCache(format: format, byteCount: cacheBytes)
  }

  /// Where a table lies: `general.plot`, or the domain's name.
  package static func file(in directory: URL, domain: String?) -> URL {
    directory.appending(path: "\(domain ?? "general").plot")
  }

  /// The domain's tables, opened at the first call. Throws `PLOTError`: a domain that does not exist
  /// is never replaced by the general table.
  package func domain(_ name: String?) throws(PLOTError) -> PLOTDomain {
    guard let name else { return general }
    try PLOTDomain.check(name: name)
    return try domains.withLock { domains throws(PLOTError) in
      if let domain = domains[name] { return domain }
      guard let directory else { throw .unknownDomain(name, path: "its file") }
      let url = PLOTStore.file(in: directory, domain: name)
      let path = url.filePath
      guard FileManager.default.fileExists(atPath: path) else {
        throw .unknownDomain(name, path: path)
      }
      let file = try PLOTFile(opening: url, baseHash: baseHash, hidden: format.hidden)
      let domain = PLOTDomain(
        name: name, files: [file] + general.files, number: UInt32(domains.count) + 1)
      domains[name] = domain
      return domain
    }
  }

  /// Rows in the cache now, and how many it can hold.
  package var cached: (rows: Int, capacity: Int) { (cache.count, cache.capacity) }
  /// Computed n-grams that were not admitted: the cache held none that was rarer.
  package var rejected: Int { cache.rejected }
  /// Rows of open files that were found damaged, and are computed instead.
  package var damagedRows: Int {
    domains.withLock { domains in
      domains.values.reduce(general.files.first?.damagedRows ?? 0) {
        $0 + ($1.files.first?.damagedRows ?? 0)
      }
    }
  }
}
