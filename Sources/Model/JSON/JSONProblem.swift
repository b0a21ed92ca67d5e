/// What is wrong with a JSON document, whatever it describes, for whoever wrote it. `description` says it
/// of a file, with line and column.
package struct JSONProblem: Error, Equatable, CustomStringConvertible {
  package enum Fault: Equatable, Sendable {
    case empty
    /// It is not JSON, and why.
    case syntax(String)
    /// An object with two members of one name, of which readers disagree which counts: its name, and
    /// before it those of the members that it is in.
    case twice([String])
    /// Lists and objects within each other, more than so many.
    case tooDeep(Int)
    /// A number that is none of those that can be meant, as it is written.
    case number(String)
  }

  /// A place in a document; both count from 1, columns in bytes.
  package struct Place: Equatable, Sendable, CustomStringConvertible {
    package var line: Int
    package var column: Int

    /// O(offset).
    init(of offset: Int, in bytes: [UInt8]) {
      let mark = JSONChecker.mark(of: bytes)
      let before = bytes[min(mark, offset)..<offset]
      line = 1 + before.count { $0 == UInt8(ascii: "\n") }
      let start = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? before.startIndex
      column = 1 + offset - start
    }

    /// "line 3, column 7"; a document of one line needs no line.
    package var description: String { (line > 1 ? "line \(line), " : "") + "column \(column)" }
  }

  package let fault: Fault
  /// In bytes from the document's first one.
  package let offset: Int
  package let place: Place

  init(_ fault: Fault, at offset: Int, in bytes: [UInt8]) {
    (self.fault, self.offset) = (fault, offset)
    place = Place(of: offset, in: bytes)
  }

  private init(_ fault: Fault, _ offset: Int, _ place: Place) {
    (self.fault, self.offset, self.place) = (fault, offset, place)
  }

  /// The same, seen from outside the member `name`.
  func inside(_ name: String) -> JSONProblem {
    guard case .twice(let names) = fault else { return self }
    return JSONProblem(.twice([name] + names), offset, place)
  }

  /// Whether it is JSON, though not as it may be here.
  package var isJSON: Bool {
    switch fault {
    case .empty, .syntax: false
    case .twice, .tooDeep, .number: true
    }
  }

  package var description: String {
    switch fault {
    case .empty: "it is not valid JSON: it is empty"
    case .syntax(let what): "it is not valid JSON: \(what) at \(place)"
    case .twice(let names):
      "the member \"\(clipped(names.last ?? ""))\" is there twice in one object (again at \(place)); keep one"
    case .tooDeep(let deepest):
      "it is nested more than \(deepest) deep (\(place)); is it the right file?"
    case .number(let text):
      "the number \(clipped(text)) (\(place)) \(Self.fault(of: text))"
    }
  }

  private static func fault(of text: String) -> String {
    if let value = Double(text), value.magnitude < 1e18, WholeNumber(text) == .fraction {
      return "is a fraction, where a whole number belongs"
    }
    return text.hasPrefix("-") ? "is too small for what it says" : "is too large for what it says"
  }
}
