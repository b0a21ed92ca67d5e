package import Model

extension DataRow {
  /// A JSON object: `text` (and `text_pair`) with `label`, `labels` or `score`, or `tokens` with
  /// `tags`, as the task wants them; a classifier's may be `messages` (see `chat`). Other fields are ignored, but none may be there twice; null is as
  /// if the field were not there; without `labelled` so is a target that is missing, and a tagger's row may be
  /// a `text` as it runs. An embedder's labelled row is one of `Comparison`. Throws `DataRowProblem`.
  package init(
    json: [UInt8], line: Int, task: VBertTask, labelled: Bool
  ) throws(DataRowProblem) {
    let object: JSONValue
    do { object = try JSONValue(json) } catch { throw .json(error) }
    guard object.kind == .object else { throw .notAnObject }
    self.line = line
    // Who asks of a text need not have split it.
    if task == .tag, !labelled, object["tokens"] == nil, let text = object["text"]?.text {
      (input, others) = (.running(text), [])
      return
    }
    guard task != .embed || !labelled else {
      (input, others, target) = try DataRow.compared(object)
      return
    }
    if task == .classify, object["text"] == nil, let messages = object["messages"] {
      (input, target) = try DataRow.chat(messages, labelled: labelled)
      others = []
      return
    }
    input = try task == .tag ? .words(DataRow.strings(object, "tokens")) : DataRow.text(object)
    others = []
    let field = DataRow.field(task)
    guard task != .embed, let target = object[field] else {
      guard labelled else { return }
      throw DataRow.problem(object, field, DataRow.expected(task))
    }
    switch task {
    case .classify: self.target = .label(try DataRow.label(target, field, DataRow.expected(task)))
    case .multilabel: self.target = .labels(try DataRow.labels(target))
    case .score: self.target = .score(try DataRow.score(target, most: DataRow.largestLearnt))
    case .tag:
      let tags = try DataRow.strings(object, field)
      guard input.wordCount == tags.count else {
        throw .unequal(tokens: input.wordCount, tags: tags.count)
      }
      self.target = .tags(tags)
    case .embed: break
    }
  }

  /// The field that holds a task's target.
  static func field(_ task: VBertTask) -> String {
    switch task {
    case .classify, .embed: "label"
    case .multilabel: "labels"
    case .score: "score"
    case .tag: "tags"
    }
  }

  /// What belongs there.
  static func expected(_ task: VBertTask) -> String {
    switch task {
    case .classify, .embed: "a string or a whole number"
    case .multilabel: "a list of strings or whole numbers"
    case .tag: "a list of strings"
    case .score: "a number"
    }
  }

  private static func text(_ object: JSONValue) throws(DataRowProblem) -> TextInput {
    guard let text = object["text"]?.text else { throw problem(object, "text", "a string") }
    guard let second = object["text_pair"] else { return .text(text) }
    guard let second = second.text else { throw problem(object, "text_pair", "a string") }
    return .pair(text, second)
  }

  /// A string as it is, or a whole number, which stands for its digits: all of them, or it is refused.
  static func label(
    _ value: JSONValue, _ field: String, _ expected: String
  ) throws(DataRowProblem) -> String {
    if let label = value.text {
      guard !label.isEmpty else { throw .empty(field) }
      return label
    }
    let wrong = DataRowProblem.wrong(field: field, expected: expected)
    guard let number = value.number else { throw wrong }
    switch WholeNumber(number) {
    case .fraction: throw wrong
    case .tooLong: throw .numberTooLong
    case .digits(let digits):
      // Who writes an exponent had it as a floating-point number, which has lost digits beyond 2^53.
      guard
        !number.utf8.contains(where: { $0 | 0x20 == UInt8(ascii: "e") })
          || (Int(digits) ?? .max).magnitude <= 1 << 53
      else { throw .numberTooLong }
      return digits
    }
  }

  private static func labels(_ value: JSONValue) throws(DataRowProblem) -> [String] {
    let expected = expected(.multilabel)
    guard let values = value.list else {
      throw .wrong(field: "labels", expected: expected)
    }
    var labels: [String] = []
    for value in values { labels.append(try label(value, "labels", expected)) }
    return labels
  }

  static func score(_ value: JSONValue, most: Double) throws(DataRowProblem) -> Double {
    guard let number = value.number else { throw .wrong(field: "score", expected: "a number") }
    guard let score = value.double, score.magnitude <= most else {
      throw .scoreTooLarge(value.double.map { "\($0)" } ?? clipped(number), most: most)
    }
    return score
  }

  private static func strings(_ object: JSONValue, _ field: String) throws(DataRowProblem)
    -> [String]
  {
    guard let strings = object[field]?.texts else {
      if field == "tags", let list = object[field]?.list, list.contains(where: { $0.number != nil })
      {
        throw .numberedTags
      }
      throw problem(object, field, "a list of strings")
    }
    if field == "tokens", strings.isEmpty { throw .empty(field) }
    if field != "tokens", strings.contains("") { throw .empty(field) }
    return strings
  }

  static func problem(_ object: JSONValue, _ field: String, _ expected: String)
    -> DataRowProblem
  {
    object[field] == nil
      ? .missing(field: field, expected: expected) : .wrong(field: field, expected: expected)
  }
}
