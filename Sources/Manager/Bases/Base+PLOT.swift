package import Foundation
internal import Model

extension Base {
  /// Where the base's tables lie: general.plot, one file a domain, admitted.plot.
  package var plotDirectory: URL { Self.plotDirectory(of: directory) }

  static func plotDirectory(of base: URL) -> URL {
    base.appending(path: "plot", directoryHint: .isDirectory)
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
