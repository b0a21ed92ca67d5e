/// Three neighbouring token ids, 0 where there is none: the key of a PLOT row.
package struct NGram: Sendable, Hashable {
  package var left: Int32
  package var centre: Int32
  package var right: Int32

  package init(_ left: Int32, _ centre: Int32, _ right: Int32) {
    self.left = left
    self.centre = centre
    self.right = right
  }

  /// (0, x1, x2): what is looked up when the tri-gram is unknown.
  package var bigram: NGram { NGram(0, centre, right) }
  /// (0, x1, 0): the last resort; there is one for every token of the vocabulary.
  package var unigram: NGram { NGram(0, centre, 0) }

  /// The n-grams of one sequence: (x[t-1], x[t], x[t+1]) for every t, 0 outside. [CLS] and [SEP]
  /// are ordinary tokens.
  package static func append(of ids: ArraySlice<Int32>, to grams: inout [NGram]) {
    var left: Int32 = 0
    for t in ids.indices {
      let right = t + 1 < ids.endIndex ? ids[t + 1] : 0
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
