/// A token that is found in the text as a whole, before it is split into words.
struct AddedToken: Sendable, Hashable {
  var id: Int
  var content: String
  /// Found only where no letter, mark, digit or underscore touches it.
  var isSingleWord = false
  /// Takes in the white space before it, or behind it.
  var takesSpaceBefore = false
  var takesSpaceBehind = false
  /// Found in the normalised text rather than in the raw one.
  var isNormalized = false

  /// Whether it is found by its bytes alone.
  var isPlain: Bool { !isSingleWord && !takesSpaceBefore && !takesSpaceBehind }
}

extension Unicode.Scalar {
  /// What a regular expression's \w stands for.
  var isWordPart: Bool {
    switch properties.generalCategory {
    case .nonspacingMark, .spacingMark, .enclosingMark, .decimalNumber, .connectorPunctuation: true
    default: properties.isAlphabetic || properties.isJoinControl
    }
  }
}
