package import Model

/// One labelled (or, for predictions, unlabelled) example.
package struct DataRow: Sendable, Equatable {
  package enum Target: Sendable, Equatable {
    case label(String)
    case labels([String])
    case score(Double)
    /// One a word.
    case tags([String])
  }

  /// Of a score that a head learns, in magnitude: its parameters are kept in 16 bits.
  static let largestLearnt = 10_000.0
  /// Of a score that an embedder compares, which is moved to 0...1.
  static let largestScore = 1e30

  /// Counts from 1.
  package var line: Int
  package var input: TextInput
  /// An embedder's further texts: what should be near to the first, then what should be far.
  package var others: [TextInput]
  package var target: Target?

  /// Texts of one row that should be far.
  static let mostNegatives = 100

  package init(line: Int, input: TextInput, others: [TextInput] = [], target: Target? = nil) {
    (self.line, self.input, self.others, self.target) = (line, input, others, target)
  }
}

extension TextInput {
  /// nil for words, and for a text whose words are wanted.
  var kind: InputKind? {
    switch self {
    case .text: .text
    case .pair: .pair
    case .words, .running: nil
    }
  }

  var isWords: Bool {
    switch self {
    case .words, .running: true
    case .text, .pair: false
    }
  }

  var wordCount: Int {
    if case .words(let words) = self { return words.count }
    return 0
  }
}

/// What can be wrong with one row.
package enum DataRowProblem: Error, Equatable, CustomStringConvertible {
  case json(JSONProblem)
  case notAnObject
  case missing(field: String, expected: String)
  case wrong(field: String, expected: String)
  case empty(String)
  case unequal(tokens: Int, tags: Int)
  case unknownLabel(String, known: [String])
  /// Of a label in an earlier line.
  case canonicalTwin(String, line: Int)
  case numberTooLong
  /// The score as it can be said.
  case scoreTooLarge(String, most: Double)
  /// Than the vBERT learnt from.
  case otherInput(InputKind)
  /// Of a dev row: than the rows that are learnt from.
  case unlikeData(InputKind)
  /// Of a dev row: none of those that are learnt.
  case notInData(String, known: [String])
  case numberedTags
  /// An embedder's: than the rows from that line on.
  case otherComparison(Comparison, line: Int)
  /// An embedder's dev row: than the rows that are learnt from.
  case unlikeComparison(Comparison)
  /// An embedder's pair with a label.
  case labelledPair
  case tooManyNegatives(Int)
  case tooManyLabels(Int)
  case labelTooLong(bytes: Int)
  case unreadable(base: String, TokenProblem)
  case text(TextProblem)

  package var description: String {
    switch self {
    case .text(let problem):
      switch problem {
      case .empty: "\(problem); a vBERT needs something to read"
      case .tooLong: "\(problem): shorten it, or let it be cut with --truncate"
      case .tooManyWords: "\(problem)"
      }
    case .unreadable(let base, let problem): "the base \(base) cannot read it: \(problem)"
    case .json(let problem) where problem.isJSON: "\(problem)"
    case .json(let problem):
      "\(problem); every line must be one JSON object, as in {\"text\": \"...\", \"label\": \"...\"} (tables and "
        + "CoNLL files are not read: write their rows so)"
    case .notAnObject: "not a JSON object, as in {\"text\": \"...\", \"label\": \"...\"}"
    case .missing(let field, let expected): "\"\(field)\" is missing; it must be \(expected)"
    case .wrong(let field, let expected): "\"\(field)\" is not \(expected)"
    case .empty(let field): "\"\(field)\" is empty, or holds an empty string"
    case .unequal(let tokens, let tags): "\(tokens) tokens but \(tags) tags; give one tag a token"
    case .unknownLabel(let label, let known):
      if let twin = known.first(where: { $0 == label }) {
        "the label \"\(label.prefix(40))\" differs from the vBERT's \"\(twin.prefix(40))\" only in its "
          + "canonical form (composed or decomposed); write it as that one"
      } else {
        "the label \"\(label.prefix(40))\" is none of the vBERT's \(known.count) "
          + "(\(DataSetError.listed(known))); correct it, or train with --anew"
      }
    case .canonicalTwin(let label, let line):
      "the label \"\(label.prefix(40))\" differs from that in line \(line) only in its canonical form "
        + "(composed or decomposed); write both alike"
    case .scoreTooLarge(let score, let most):
      "\"score\" is \(score); at most \(most) in magnitude is possible; divide all of them"
    case .otherInput(.text):
      "a pair, but the vBERT learnt from single texts; leave \"text_pair\" out, or train with --anew"
    case .otherInput(.pair):
      "a single text, but the vBERT learnt from pairs; give \"text_pair\" too, or train with --anew"
    case .unlikeData(.text): "a pair, but the rows of --data are single texts; give both alike"
    case .unlikeData(.pair): "a single text, but the rows of --data are pairs; give both alike"
    case .notInData(let label, let known):
      "the label \"\(label.prefix(40))\" is in no row of --data, which have \(known.count) "
        + "(\(DataSetError.listed(known))); add rows with it there, or leave it out here"
    case .numberedTags:
      "\"tags\" are numbers; write their names, as in [\"B-PER\", \"O\"] (in Python: "
        + "names = dataset.features[\"ner_tags\"].feature.names)"
    case .otherComparison(let kind, let line):
      "another kind of row than line \(line), \(kind.members); give all rows of a file alike"
    case .unlikeComparison(let kind):
      "another kind of row than those of --data, \(kind.members); give both alike"
    case .labelledPair:
      "a pair with a \"label\": an embedder learns pairs that should be near, {\"text\", \"text_pair\"} alone, or "
        + "how near, with a \"score\""
    case .tooManyNegatives(let count):
      "\(count) texts as \"negative\"; at most \(DataRow.mostNegatives) are possible"
    case .numberTooLong:
      "\"label\" is a number that cannot be told digit by digit; write it as a string"
    case .tooManyLabels(let count):
      "this is label number \(count); at most \(VBertSpec.mostLabels) are possible"
    case .labelTooLong(let bytes):
      "a label has \(bytes) bytes; at most \(VBertSpec.longestLabel) are possible"
    }
  }
}
