package import Compute

/// A text as one model reads it, special tokens among them: checked against that model once, here.
package struct TokenSequence: Sendable, Hashable {
  package let ids: Indices
  /// The segment of each token; all 0 where the architecture has none.
  package let types: Indices

  /// Throws `TokenProblem` unless a model of this shape can read it. O(tokens).
  package init(
    ids: [Int32], types: [Int32], for model: Configuration
  ) throws(TokenProblem) {
    guard 1...model.maxPositions ~= ids.count else {
      throw .length(ids.count, most: model.maxPositions)
    }
    guard ids.count == types.count else { throw .unequal(ids: ids.count, types: types.count) }
    do { self.ids = try Indices(ids, below: model.vocabularySize) } catch {
      throw .id("\(error)")
    }
    guard model.tokenTypes > 0 else {
      self.types = Indices(zeros: types.count)
      return
    }
    do { self.types = try Indices(types, below: model.tokenTypes) } catch {
      throw .segment(most: model.tokenTypes)
    }
  }

  package init(_ encoding: Encoding, for model: Configuration) throws(TokenProblem) {
    try self.init(ids: encoding.ids, types: encoding.typeIDs, for: model)
  }

  package var count: Int { ids.count }
}

extension Configuration {
  /// Rows of the tables of token types: one of zeros where the architecture has none.
  package var segments: Int { max(1, tokenTypes) }
  /// Whether the second text of a pair has a segment, or needs none.
  package var readsPairs: Bool { !architecture.special.numbersSegments || tokenTypes != 1 }
}

/// Why tokens are nothing for a model.
package enum TokenProblem: Error, Equatable, CustomStringConvertible {
  case length(Int, most: Int)
  case unequal(ids: Int, types: Int)
  case id(String)
  case segment(most: Int)

  package var description: String {
    switch self {
    case .length(0, _): "no tokens"
    case .length(let count, let most): "\(count) tokens; the base reads at most \(most)"
    case .unequal(let ids, let types): "\(ids) token ids, but segments of \(types)"
    case .id(let what): "a token id is not in the base's vocabulary: \(what)"
    case .segment(1):
      "the base has one segment (type_vocab_size 1): it reads single texts, not pairs"
    case .segment(let most): "the base has segments 0 to \(most - 1), and no other"
    }
  }
}
