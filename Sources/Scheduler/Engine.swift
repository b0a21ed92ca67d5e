package import Compute
package import Manager
package import Model
internal import Synchronization

/// One base, ready to serve: its weights on the device, its tokeniser, and what finds or computes its
/// n-gram rows.
package final class Engine: Sendable {
  package let name: String
  /// The base's content hash, which a vBERT must have been made for.
  package let contentHash: String
  package let model: BaseModel
  package let tokenizer: any Tokenizer
  /// Belongs to the prefetch thread; nil for a dense base.
  private let lookup: Mutex<NGramLookup?>
  /// The tables behind it.
  package let plot: PLOTStore?
  /// Rows in the device's own memory; nil where the device is the host.
  private let rowCache: (any NGramRowCache)?

  /// `lookup` computes on a lane of its own.
  package init(
    name: String, contentHash: String, model: BaseModel, tokenizer: any Tokenizer,
    lookup: sending NGramLookup?, rowCache: (any NGramRowCache)? = nil
  ) {
    precondition((lookup == nil) == (model.configuration.skipDepth == 0))
    self.name = name
    self.contentHash = contentHash
    self.model = model
    self.tokenizer = tokenizer
    plot = lookup?.store
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

/// The bases in service, each loaded when something of it is first asked for.
package final class Engines: Sendable {
  package typealias Load = @Sendable (_ base: String) throws -> Engine

  private let load: Load
  private let engines = Mutex<[String: Engine]>([:])

  /// `load` is called by one thread at a time.
  package init(load: @escaping Load) { self.load = load }

  /// Throws what loading throws, and `EngineError` where the base is not the one that the vBERT was
  /// made for.
  package func engine(for spec: VBertSpec) throws -> Engine {
    let engine = try engine(named: spec.base)
    guard engine.contentHash == spec.baseHash else {
      throw EngineError.otherBase(
        name: spec.base, found: engine.contentHash, expected: spec.baseHash)
    }
    return engine
  }

  package func engine(named name: String) throws -> Engine {
    try engines.withLock { engines in
      if let engine = engines[name] { return engine }
      let engine = try load(name)
      engines[name] = engine
      return engine
    }
  }

  /// By name.
  package var loaded: [Engine] {
    engines.withLock { engines in engines.values.sorted { $0.name < $1.name } }
  }
}

/// A vBERT and a base that do not belong together.
package enum EngineError: Error, Equatable, CustomStringConvertible {
  case otherBase(name: String, found: String, expected: String)

  package var description: String {
    switch self {
    case .otherBase(let name, let found, let expected):
      """
      the base \(name) has content hash \(found), but the vBERT was made for \(expected); \
      import that base again, or train the vBERT anew
      """
    }
  }
}
