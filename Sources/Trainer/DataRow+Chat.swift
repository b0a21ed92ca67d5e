import Model

extension DataRow {
  /// A row of a fine-tuned chat model as a classifier's: the text is what the user says, several messages
  /// with a line break between; the label is the assistant's last message, without white space around it.
  /// What is a system's or a developer's is the same for all rows and says nothing. Throws
  /// `DataRowProblem`. The shape is OpenAI's: https://platform.openai.com/docs/api-reference/fine-tuning.
  static func chat(
    _ messages: JSONValue, labelled: Bool
  ) throws(DataRowProblem) -> (TextInput, Target?) {
    guard let list = messages.list else {
      throw .wrong(field: "messages", expected: "a list of objects with \"role\" and \"content\"")
    }
    var (asked, answer) = ([String](), String?.none)
    for message in list {
      guard let role = message["role"]?.text else {
        throw .missing(field: "role", expected: "user, assistant or system, in every message")
      }
      switch role {
      case "user": asked.append(try content(message))
      case "assistant": answer = try content(message)
      case "system", "developer": break
      default: throw .wrong(field: "role", expected: "user, assistant or system")
      }
    }
    guard !asked.isEmpty else {
      throw .missing(field: "messages", expected: "one of the role user, whose content is the text")
    }
    let label = answer.map(trimmed)
    if label?.isEmpty ?? labelled {
      throw .missing(
        field: "messages", expected: "one of the role assistant, whose content is the label")
    }
    return (.text(asked.joined(separator: "\n")), label.map(Target.label))
  }

  /// A string, or parts of which each is a text.
  private static func content(_ message: JSONValue) throws(DataRowProblem) -> String {
    let expected = "a string, or a list of parts {\"type\": \"text\", \"text\"}"
    guard let content = message["content"] else {
      throw .missing(field: "content", expected: expected)
    }
    if let text = content.text { return text }
    var parts: [String] = []
    for part in content.list ?? [] {
      guard part["type"]?.text == "text", let text = part["text"]?.text else {
        throw .wrong(field: "content", expected: expected)
      }
      parts.append(text)
    }
    guard !parts.isEmpty else { throw .wrong(field: "content", expected: expected) }
    return parts.joined()
  }

  private static func trimmed(_ text: String) -> String {
    let isSpace = { (letter: Character) in letter.isWhitespace }
    let rest = text.drop(while: isSpace)
    return String(rest.reversed().drop(while: isSpace).reversed())
  }
}
