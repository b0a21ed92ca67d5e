/// A JSON document as it stands: members in their order, numbers as they are written. For files whose
/// every member must be judged; a file of one fixed shape is read with `decodeJSON`.
package enum JSONValue: Sendable, Hashable {
  package struct Member: Sendable, Hashable {
    package let name: String
    package let value: JSONValue
  }

  case null
  case flag(Bool)
  case number(String)
  case text(String)
  case list([JSONValue])
  case object([Member])

  /// Lists and objects within each other.
  package static let deepest = 64

  /// Reads a whole document. Strict: no comments, no comma too many, no NaN, and no member twice in
  /// one object. Linear. Throws `JSONProblem`.
  package init(_ bytes: [UInt8]) throws(JSONProblem) {
    // Editors of some systems put a byte order mark there.
    let mark = bytes.starts(with: [0xEF, 0xBB, 0xBF])
    self = try JSONReader.read(mark ? Array(bytes.dropFirst(3)) : bytes).value
  }

  /// The member of an object; nil where there is none, or it is null, which says the same.
  package subscript(_ name: String) -> JSONValue? {
    guard case .object(let members) = self else { return nil }
    let found = members.first { $0.name.utf8.elementsEqual(name.utf8) }?.value
    return found == .null ? nil : found
  }

  /// A whole number, however it is written: 512, 512.0, 5.12e2; nil for any other value.
  package var whole: Int? {
    guard case .number(let text) = self else { return nil }
    return Int(text) ?? Double(text).flatMap { Int(exactly: $0) }
  }

  /// nil for what is no number, and for one beyond every finite one.
  package var double: Double? {
    guard case .number(let text) = self, let value = Double(text), value.isFinite else {
      return nil
    }
    return value
  }

  /// For messages: short, whatever it is.
  package var shown: String {
    switch self {
    case .null: "null"
    case .flag(let flag): "\(flag)"
    case .number(let text): text.clipped
    case .text(let text): "\"\(text.clipped)\""
    case .list(let list):
      list.count > 4
        ? "a list of \(list.count)" : "[\(list.map(\.shown).joined(separator: ", "))]".clipped
    case .object(let members):
      "{\(members.prefix(4).map { "\"\($0.name.clipped)\"" }.joined(separator: ", "))}".clipped
    }
  }
}
