/// What a vBERT is asked about, or learns from.
package enum TextInput: Sendable, Hashable {
  case text(String)
  case pair(String, String)
  /// Words that are given apart.
  case words([String])
  /// A text whose words are wanted: split no further than they fit.
  case running(String)

  package var isPair: Bool {
    if case .pair = self { true } else { false }
  }

  /// Whether there is nothing to read in it.
  package var isEmpty: Bool {
    switch self {
    case .text(let text), .running(let text): text.isEmpty
    case .pair(let a, let b): a.isEmpty && b.isEmpty
    case .words(let words): words.isEmpty
    }
  }
}

/// Why an input cannot be read as it is.
package enum TextProblem: Error, Hashable, CustomStringConvertible {
  case empty
  /// `tokens`: special ones too; where it is not exact, there are more.
  case tooLong(tokens: Int, isExact: Bool, most: Int)
  /// `words` nil: more than `most`.
  case tooManyWords(Int?, most: Int)

  package var description: String {
    switch self {
    case .empty: "it is empty"
    case .tooLong(let tokens, let isExact, let most):
      "it has \(isExact ? "" : "more than ")\(tokens) tokens, special tokens included; the vBERT takes \(most)"
    case .tooManyWords(let words, let most):
      "it has \(words.map { "\($0)" } ?? "more than \(most)") words; at most \(most) are possible"
    }
  }
}
