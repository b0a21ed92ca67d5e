/// What is wrong with a JSON document, whatever it describes, for whoever wrote it.
package enum JSONProblem: Error, Equatable, CustomStringConvertible {
  /// A place in a document; both count from 1, columns in bytes.
  package struct Place: Equatable, Sendable, CustomStringConvertible {
    package var line: Int
    package var column: Int

    package init(line: Int, column: Int) { (self.line, self.column) = (line, column) }

    /// O(offset).
    init(of offset: Int, in bytes: [UInt8]) {
      let before = bytes.prefix(offset)
      line = 1 + before.count { $0 == UInt8(ascii: "\n") }
      column = 1 + offset - (before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0)
    }

    /// "line 3, column 7"; a document of one line needs no line.
    package var description: String { (line > 1 ? "line \(line), " : "") + "column \(column)" }
  }

  case empty
  case syntax(Place, what: String)
  /// An object with two members of one name: readers disagree which of them counts.
  case twice(Place, member: String)
  case tooDeep(Place)
  /// A number that is none of those that can be meant, as it is written.
  case number(Place, text: String)

  package var description: String {
    switch self {
    case .empty: "it is not valid JSON: it is empty"
    case .syntax(let place, let what): "it is not valid JSON: \(what) at \(place)"
    case .twice(let place, let member):
      "the member \"\(member.clipped)\" is there twice in one object (again at \(place)); keep one"
    case .tooDeep(let place):
      "it is nested more than \(JSONValue.deepest) deep (\(place)); is it the right file?"
    case .number(let place, let text):
      "the number \(text.clipped) (\(place)) \(Self.fault(of: text))"
    }
  }

  private static func fault(of text: String) -> String {
    if let value = Double(text), value.magnitude < 1e18, value != value.rounded() {
      return "is a fraction, where a whole number belongs"
    }
    return text.hasPrefix("-") ? "is too small for what it says" : "is too large for what it says"
  }

  /// A scanner's problem with these bytes, which knows only the offset.
  init(_ problem: SafetensorsProblem, in bytes: [UInt8]) {
    switch problem {
    case .syntax(let offset, let what):
      self = .syntax(Place(of: offset, in: bytes), what: what)
    default: self = .syntax(Place(line: 1, column: 1), what: "\(problem)")
    }
  }
}
