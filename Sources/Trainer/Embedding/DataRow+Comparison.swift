import Model

extension DataRow {
  /// An embedder's row: `anchor` and `positive`, with or without `negative` (a text or a list), or `text`
  /// with `text_pair`, with or without `score`, or with `label`.
  static func compared(
    _ object: JSONValue
  ) throws(DataRowProblem) -> (TextInput, others: [TextInput], Target?) {
    if object["anchor"] != nil {
      let anchor = try text(of: object, "anchor")
      let positive = try text(of: object, "positive")
      return (.text(anchor), ([positive] + (try negatives(object))).map(TextInput.text), nil)
    }
    let input = TextInput.text(try text(of: object, "text"))
    guard object["text_pair"] != nil else {
      guard let label = object["label"] else {
        throw .missing(
          field: "label", expected: "a string or a whole number (or give \"text_pair\")")
      }
      return (input, [], .label(try Self.label(label, "label", expected(.embed))))
    }
    let others = [TextInput.text(try text(of: object, "text_pair"))]
    if let score = object["score"] {
      return (input, others, .score(try Self.score(score, most: largestScore)))
    }
    guard object["label"] == nil else { throw .labelledPair }
    return (input, others, nil)
  }

  private static func text(of object: JSONValue, _ field: String) throws(DataRowProblem) -> String {
    guard let text = object[field]?.text else { throw problem(object, field, "a string") }
    return text
  }

  private static func negatives(_ object: JSONValue) throws(DataRowProblem) -> [String] {
    guard let value = object["negative"] else { return [] }
    if let text = value.text { return [text] }
    guard let texts = value.texts else {
      throw .wrong(field: "negative", expected: "a string or a list of strings")
    }
    guard !texts.isEmpty else { throw .empty("negative") }
    guard texts.count <= mostNegatives else { throw .tooManyNegatives(texts.count) }
    return texts
  }
}
