internal import Foundation
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

  /// Of a score, in magnitude.
  static let largestScore = 1e30

  /// Counts from 1.
  package var line: Int
  package var input: TextInput
  package var target: Target?

  package init(line: Int, input: TextInput, target: Target? = nil) {
    (self.line, self.input, self.target) = (line, input, target)
  }
}

extension DataRow {
  /// A JSON object: `text` (and `text_pair`) with `label`, `labels` or `score`, or `tokens` with
  /// `tags`, as the task wants them. Other fields are ignored; without `labelled` so is a target
  /// that is missing. Throws `DataRowProblem`.
  package init(
    json: [UInt8], line: Int, task: Task, labelled: Bool
  ) throws(DataRowProblem) {
    let object: [String: Any]
    do {
      guard let found = try JSONSerialization.jsonObject(with: Data(json)) as? [String: Any] else {
        throw DataRowProblem.notAnObject
      }
      // Null is how many write that there is none.
      object = found.filter { !($0.value is NSNull) }
    } catch let problem as DataRowProblem { throw problem } catch { throw .notJSON }
    self.line = line
    input = try task == .tag ? .words(DataRow.strings(object, "tokens")) : DataRow.text(object)
    let field = DataRow.field(task)
    guard object[field] != nil || labelled else { return }
    switch task {
    case .classify: target = .label(try DataRow.label(object))
    case .multilabel: target = .labels(try DataRow.strings(object, field))
    case .score:
      guard let number = object[field] as? NSNumber, !DataRow.isBoolean(number) else {
        throw DataRow.problem(object, field, "a number")
      }
      guard number.doubleValue.magnitude <= DataRow.largestScore else {
        throw .scoreTooLarge(number.doubleValue)
      }
      target = .score(number.doubleValue)
    case .tag:
      let tags = try DataRow.strings(object, field)
      guard case .words(let words) = input, words.count == tags.count else {
        throw .unequal(tokens: input.wordCount, tags: tags.count)
      }
      target = .tags(tags)
    case .embed: target = nil
    }
  }

  /// The field that holds a task's target.
  static func field(_ task: Task) -> String {
    switch task {
    case .classify, .embed: "label"
    case .multilabel: "labels"
    case .score: "score"
    case .tag: "tags"
    }
  }

  private static func text(_ object: [String: Any]) throws(DataRowProblem) -> TextInput {
    guard let text = object["text"] as? String else {
      throw problem(object, "text", "a string")
    }
    guard object["text_pair"] != nil else { return .text(text) }
    guard let second = object["text_pair"] as? String else {
      throw problem(object, "text_pair", "a string")
    }
    return .pair(text, second)
  }

  /// A string as it is, or a whole number, which stands for its digits: all of them, or it is refused.
  private static func label(_ object: [String: Any]) throws(DataRowProblem) -> String {
    if let label = object["label"] as? String {
      guard !label.isEmpty else { throw .empty("label") }
      return label
    }
    guard let number = object["label"] as? NSNumber, !isBoolean(number) else {
      throw problem(object, "label", "a string")
    }
    let digits = number.stringValue
    if digits.utf8.count <= 38, digits.drop(while: { $0 == "-" }).allSatisfy(\.isWholeNumber) {
      return digits
    }
    guard number.doubleValue == number.doubleValue.rounded() else {
      throw problem(object, "label", "a string")
    }
    guard let whole = Int(exactly: number.doubleValue), whole.magnitude <= 1 << 53 else {
      throw .numberTooLong
    }
    return String(whole)
  }

  private static func strings(_ object: [String: Any], _ field: String) throws(DataRowProblem)
    -> [String]
  {
    guard let list = object[field] as? [Any] else {
      throw problem(object, field, "a list of strings")
    }
    var strings: [String] = []
    for element in list {
      guard let string = element as? String else {
        throw .wrong(field: field, expected: "a list of strings")
      }
      strings.append(string)
    }
    if field == "tokens", strings.isEmpty { throw .empty(field) }
    if field != "tokens", strings.contains("") { throw .empty(field) }
    return strings
  }

  private static func isBoolean(_ number: NSNumber) -> Bool {
    unsafe String(cString: number.objCType) == "c"
  }

  private static func problem(_ object: [String: Any], _ field: String, _ expected: String)
    -> DataRowProblem
  {
    object[field] == nil
      ? .missing(field: field, expected: expected) : .wrong(field: field, expected: expected)
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
  case notJSON
  case notAnObject
  case missing(field: String, expected: String)
  case wrong(field: String, expected: String)
  case empty(String)
  case unequal(tokens: Int, tags: Int)
  case unknownLabel(String, known: [String])
  /// Of a label in an earlier line.
  case canonicalTwin(String, line: Int)
  case numberTooLong
  case scoreTooLarge(Double)
  /// Than the vBERT learnt from.
  case otherInput(InputKind)
  case tooManyLabels(Int)
  case labelTooLong(bytes: Int)
  case unreadable(base: String, TokenProblem)
  case text(TextProblem)

  package var description: String {
    switch self {
    case .text(.empty): "it is empty; a vBERT needs something to read"
    case .text(.tooLong(let tokens, let isExact, let most)):
      "it has \(isExact ? "" : "more than ")\(tokens) tokens, special tokens included; the vBERT takes "
        + "\(most): shorten it, or let it be cut with --truncate"
    case .text(let problem): "\(problem)"
    case .unreadable(let base, let problem): "the base \(base) cannot read it: \(problem)"
    case .notJSON: "not valid JSON; every line must be one JSON object"
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
    case .scoreTooLarge(let score):
      "\"score\" is \(score); at most \(DataRow.largestScore) in magnitude is possible; divide all of them"
    case .otherInput(.text):
      "a pair, but the vBERT learnt from single texts; leave \"text_pair\" out, or train with --anew"
    case .otherInput(.pair):
      "a single text, but the vBERT learnt from pairs; give \"text_pair\" too, or train with --anew"
    case .numberTooLong:
      "\"label\" is a number that cannot be told digit by digit; write it as a string"
    case .tooManyLabels(let count):
      "this is label number \(count); at most \(VBertSpec.mostLabels) are possible"
    case .labelTooLong(let bytes):
      "a label has \(bytes) bytes; at most \(VBertSpec.longestLabel) are possible"
    }
  }
}
