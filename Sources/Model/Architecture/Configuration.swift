/// A BERT-family model's shape, as Hugging Face's config.json says it.
package struct Configuration: Sendable, Hashable {
  package var vocabularySize: Int
  package var hiddenSize: Int
  /// L, all layers, the local ones too.
  package var layerCount: Int
  package var headCount: Int
  package var intermediateSize: Int
  /// Longest sequence in tokens.
  package var maxPositions: Int
  /// 0 where the architecture has none.
  package var tokenTypes: Int
  package var layerNormEpsilon: Float
  /// k, how many lower layers are local: run over n-grams only and stored in the PLOT. 0: dense.
  package var skipDepth: Int
  package var architecture: Architecture

  package init(
    vocabularySize: Int, hiddenSize: Int, layerCount: Int, headCount: Int, intermediateSize: Int,
    maxPositions: Int, tokenTypes: Int = 2, layerNormEpsilon: Float = 1e-12, skipDepth: Int = 0,
    architecture: Architecture = .bert
  ) {
    self.vocabularySize = vocabularySize
    self.hiddenSize = hiddenSize
    self.layerCount = layerCount
    self.headCount = headCount
    self.intermediateSize = intermediateSize
    self.maxPositions = maxPositions
    self.tokenTypes = tokenTypes
    self.layerNormEpsilon = layerNormEpsilon
    self.skipDepth = skipDepth
    self.architecture = architecture
  }

  /// The layers computed over the whole sequence: skipDepth ..< layerCount.
  package var upperLayers: Range<Int> { skipDepth..<layerCount }
  package var isSkip: Bool { skipDepth > 0 }
  /// Of the position tables.
  package var positionRows: Int { maxPositions + architecture.positionOffset }
}

/// What can be wrong with a config.json.
package enum ConfigurationError: Error, Equatable, CustomStringConvertible {
  case unreadable(String)
  case missing(field: String)
  case unsupported(field: String, value: String, supported: String)
  case outOfRange(field: String, value: Int, range: ClosedRange<Int>)
  case badNumber(field: String, value: Float, range: ClosedRange<Float>)
  /// Heads that do not divide the width.
  case indivisible(field: String, value: Int, width: String, by: Int)
  /// A field that says what would change answers, and that is not done here.
  case refused(field: String, value: String, why: String)
  /// A field of another JSON type, or a number that is none of ours.
  case wrongKind(field: String, expected: String)

  package var description: String {
    switch self {
    case .unreadable(let why): "config.json cannot be read: \(why)"
    case .missing(let field): "config.json says no \(field)"
    case .unsupported(let field, let value, let supported):
      "config.json: \(field) is \"\(value)\"; supported: \(supported)"
    case .outOfRange(let field, let value, let range):
      "config.json: \(field) is \(value), outside \(range.lowerBound)...\(range.upperBound)"
    case .badNumber(let field, let value, let range):
      "config.json: \(field) is \(value), outside \(range.lowerBound)...\(range.upperBound)"
    case .indivisible(let field, let value, let width, let size):
      "config.json: \(field) is \(value), which does not divide \(width) \(size)"
    case .refused(let field, let value, let why): "config.json: \(field) is \(value): \(why)"
    case .wrongKind(let field, let expected): "config.json: \(field) is not \(expected)"
    }
  }
}
