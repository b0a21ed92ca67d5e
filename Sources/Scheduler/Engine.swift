package import Compute
package import Manager
package import Model
internal import Synchronization

/// A base on one lane's device: its weights there, and what finds or computes its n-gram rows.
package final class Engine: Sendable {
  package let model: BaseModel
  /// Belongs to the prefetch thread; nil for a dense base.
  private let lookup: Mutex<NGramLookup?>
  /// The tables behind it.
  let store: PLOTStore?
  /// Rows in the device's own memory; nil where the device is the host.
  private let rowCache: (any NGramRowCache)?

  /// `lookup` computes on a lane of its own.
  package init(
    model: BaseModel, lookup: sending NGramLookup?, rowCache: (any NGramRowCache)? = nil
  ) {
    precondition((lookup == nil) == (model.configuration.skipDepth == 0))
    self.model = model
    store = lookup?.store
    self.rowCache = model.configuration.vocabularySize <= NGram.mostIDs ? rowCache : nil
    self.lookup = Mutex(lookup)
  }

  func rows(
    for grams: [NGram], segments: [NGramLookup.Segment], mode: PLOTMode
  ) throws -> PLOTRows? {
    try lookup.withLock { lookup in
      // A domain's rows may differ from the general ones, and stand-ins are not the n-gram's own.
      guard let rowCache, mode == .exact, segments.isEmpty else {
        return try lookup?.rows(for: grams, segments: segments, mode: mode)
      }
      return try lookup?.rows(for: grams, on: rowCache)
    }
  }
}
