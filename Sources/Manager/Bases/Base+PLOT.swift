internal import Files
package import Foundation
internal import Model

extension Base {
  /// Where the base's tables lie: general.plot, one file a domain, admitted.plot.
  package var plotDirectory: URL { Self.plotDirectory(of: directory) }

  static func plotDirectory(of base: URL) -> URL {
    base.appending(path: "plot", directoryHint: .isDirectory)
  }

  /// Throws `PLOTError` for a name that is none, and where the base reads no tables: a domain would change
  /// nothing there.
  package func check(domain: String) throws(PLOTError) {
    try PLOTDomain.check(name: domain)
    guard configuration.isSkip else { throw .denseDomain(domain, base: name) }
  }

  /// Whether a domain's own table is there, sound or not.
  package func hasTable(of domain: String) -> Bool {
    FileKind(PLOTStore.file(in: plotDirectory, domain: domain)) != .missing
  }

  /// Opens the tables; `tell` hears of those that are damaged or given up. Throws `PLOTError`. For a skip
  /// base.
  package func openPLOT(
    cacheBytes: Int, type: PLOTRowType = .float16,
    tell: @escaping @Sendable (PLOTError) -> Void
  ) throws(PLOTError) -> PLOTStore {
    try PLOTStore(
      directory: plotDirectory, baseHash: record.contentHash, hidden: configuration.hiddenSize,
      skipDepth: configuration.skipDepth, cacheBytes: cacheBytes, type: type, tell: tell)
  }
}
