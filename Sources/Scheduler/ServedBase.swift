package import Manager
package import Model

/// One base in service: what exists once on a host (its tokeniser, its tables), and an engine for every
/// lane.
package final class ServedBase: Sendable {
  package let name: String
  /// The base's content hash, which a vBERT must have been made for.
  package let contentHash: String
  package let configuration: Configuration
  package let tokenizer: WordPiece
  /// nil for a dense base.
  package let plot: PLOTStore?
  /// By lane.
  let engines: [Engine]

  package init(
    name: String, contentHash: String, tokenizer: WordPiece, plot: PLOTStore?, engines: [Engine]
  ) {
    precondition(!engines.isEmpty && engines.allSatisfy { ($0.store === plot) })
    self.name = name
    self.contentHash = contentHash
    configuration = engines[0].model.configuration
    self.tokenizer = tokenizer
    self.plot = plot
    self.engines = engines
  }

  /// What a vBERT is computed on. Opens the domain's tables at the first call, which reads files. Throws
  /// `ServedBaseError`, and `PLOTError` for a domain that does not exist or cannot be used.
  package func pin(_ spec: VBertSpec) throws -> BasePin {
    try check(spec)
    return BasePin(base: self, domain: try plot?.number(of: spec.domain) ?? 0)
  }

  /// The same where no file has to be read for it; nil otherwise. Throws `ServedBaseError`.
  package func pinned(_ spec: VBertSpec) throws(ServedBaseError) -> BasePin? {
    try check(spec)
    guard let plot else { return BasePin(base: self, domain: 0) }
    return plot.number(ifOpen: spec.domain).map { BasePin(base: self, domain: $0) }
  }

  private func check(_ spec: VBertSpec) throws(ServedBaseError) {
    guard contentHash == spec.baseHash else {
      throw .another(name: spec.base, found: contentHash, expected: spec.baseHash)
    }
  }
}

/// What a request is computed on, found out once, when it arrives: the base in service and its domain
/// there. Nothing of it is looked up by name again.
package struct BasePin: Sendable {
  package let base: ServedBase
  /// As the base's `plot` numbers it.
  let domain: UInt32

  /// The domain's tables as they are now; nil where it has the base's alone. Not kept longer than a batch
  /// takes. Throws `PLOTError.lostDomain`.
  func tables() throws(PLOTError) -> PLOTDomain? {
    domain == 0 ? nil : try base.plot?.domain(number: domain)
  }
}

/// A vBERT and a base that do not belong together.
package enum ServedBaseError: Error, Equatable, CustomStringConvertible {
  case another(name: String, found: String, expected: String)

  package var description: String {
    switch self {
    case .another(let name, let found, let expected):
      """
      the base \(name) has content hash \(found), but the vBERT was made for \(expected); \
      import that base again, or train the vBERT anew
      """
    }
  }
}
