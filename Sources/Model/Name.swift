/// The name of a vBERT or a tenant, made by checking it: 1 to 128 of A-Z a-z 0-9 . _ -, the first a
/// letter or a digit. So it is safe in a path, a URL, a shell and SQL, has one spelling only (no
/// canonical equivalents, no look-alikes from other alphabets, no NUL), and compares byte by byte.
package struct Name: Sendable, Hashable, Comparable, CustomStringConvertible {
  package let text: String

  /// Throws `NameError` for anything else.
  package init(_ text: String) throws(NameError) {
    guard Name.isValid(text) else { throw NameError(text: text) }
    self.text = text
  }

  private init(known text: String) { self.text = text }

  /// The tenant of what nobody else owns.
  package static let `default` = Name(known: "default")

  /// The label of the key that a tenant is made with.
  package static let first = Name(known: "first")

  package static let longest = 128

  /// O(`longest`), however long the text.
  package static func isValid(_ text: String) -> Bool {
    let bytes = text.utf8
    guard let first = bytes.first, isAlphanumeric(first) else { return false }
    var count = 0
    for byte in bytes {
      count += 1
      guard count <= longest, isAlphanumeric(byte) || "._-".utf8.contains(byte) else {
        return false
      }
    }
    return true
  }

  private static func isAlphanumeric(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: false
    }
  }

  package static func < (a: Name, b: Name) -> Bool { a.text < b.text }

  package var description: String { text }
}

/// A text that cannot name a vBERT or a tenant.
package struct NameError: Error, Equatable, CustomStringConvertible {
  package let text: String

  package init(text: String) { self.text = text }

  package var description: String {
    """
    "\(clipped(text))" is no valid name: use 1 to \(Name.longest) of A-Z a-z 0-9 . _ -, \
    starting with a letter or a digit
    """
  }
}

/// Short enough for an error message, and without characters that a terminal or a log would obey,
/// whatever a user put into it.
package func clipped(_ text: String) -> String {
  var out = ""
  var count = 0
  for scalar in text.unicodeScalars {
    count += 1
    if count > 80 { return out + "…" }
    let isControl = scalar.value < 32 || 127...159 ~= scalar.value
    out += isControl ? "\\u{\(String(scalar.value, radix: 16))}" : String(scalar)
  }
  return out
}

extension Name: Codable {
  package init(from decoder: any Decoder) throws {
    try self.init(decoder.singleValueContainer().decode(String.self))
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(text)
  }
}
