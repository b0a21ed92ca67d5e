/// Three neighbouring token ids, `none` where there is no token: the key of a PLOT row.
package struct NGram: Sendable, Hashable {
  /// No token's id; 0xFFFFFFFF in files.
  package static let none: Int32 = -1

  package var left: Int32
  package var centre: Int32
  package var right: Int32

  package init(_ left: Int32, _ centre: Int32, _ right: Int32) {
    self.left = left
    self.centre = centre
    self.right = right
  }

  /// Without one the row is zeros, and is never stored.
  @inlinable
  package var hasCentre: Bool { centre != -1 }
  /// (none, x1, x2): what is looked up when the tri-gram is unknown.
  package var bigram: NGram { NGram(NGram.none, centre, right) }
  /// (none, x1, none): the last resort; there is one for every token of the vocabulary.
  package var unigram: NGram { NGram(NGram.none, centre, NGram.none) }

  /// Whether every id is of a vocabulary of `size` tokens, or none where one may be none.
  package func isOf(vocabulary size: Int) -> Bool {
    func isToken(_ id: Int32) -> Bool { id >= 0 && Int(id) < size }
    return isToken(centre) && (left == NGram.none || isToken(left))
      && (right == NGram.none || isToken(right))
  }

  /// The n-grams of one sequence: (x[t-1], x[t], x[t+1]) for every t, none outside. [CLS] and [SEP]
  /// are ordinary tokens.
  package static func append(of ids: ArraySlice<Int32>, to grams: inout [NGram]) {
    var left = none
    for t in ids.indices {
      let right = t + 1 < ids.endIndex ? ids[t + 1] : none
      grams.append(NGram(left, ids[t], right))
      left = ids[t]
    }
  }

  package static func list(of ids: [Int32]) -> [NGram] {
    var grams: [NGram] = []
    append(of: ids[...], to: &grams)
    return grams
  }
}
