/// The members of a request's body where that is as plain as nearly all are: one object of texts
/// without escapes, lists of such texts, booleans and nulls.
///
/// Foundation's decoder takes several microseconds for such a body, this a fraction of one. It knows
/// no error: whatever is not plain, wrong bodies included, is the decoder's, which has the last word
/// on what JSON is and how its faults are told.
struct PlainBody {
  enum Value: Equatable {
    case text(String)
    /// One text or more.
    case texts([String])
    case flag(Bool)
    case null
  }
  private(set) var members: [(name: String, value: Value)] = []

  /// No route has as many.
  private static let mostMembers = 32

  /// nil where the body is not plain.
  init?(_ bytes: Span<UInt8>) {
    var scanner = Scanner()
    guard scanner.take("{", of: bytes) else { return nil }
    repeat {
      guard let name = scanner.text(of: bytes), scanner.take(":", of: bytes),
        let value = scanner.value(of: bytes),
        // So many that looking for a name would take its time: not plain.
        members.count < Self.mostMembers,
        // Which of two members of one name counts is the decoder's to say.
        !members.contains(where: { $0.name == name })
      else { return nil }
      members.append((name, value))
    } while scanner.take(",", of: bytes)
    guard scanner.take("}", of: bytes), scanner.isAtEnd(of: bytes) else { return nil }
  }

  /// `.null` where there is no such member: a decoder takes both for nil.
  subscript(name: String) -> Value { members.first { $0.name == name }?.value ?? .null }

  /// nil where the member is of another kind; `.some(nil)` where it is missing.
  func text(_ name: String) -> String?? {
    switch self[name] {
    case .text(let text): .some(text)
    case .null: .some(nil)
    default: nil
    }
  }

  func flag(_ name: String) -> Bool?? {
    switch self[name] {
    case .flag(let flag): .some(flag)
    case .null: .some(nil)
    default: nil
    }
  }
}

extension PlainBody {
  private struct Scanner {
    var position = 0

    private mutating func skipSpace(of bytes: Span<UInt8>) {
      while position < bytes.count {
        switch bytes[position] {
        case 0x20, 0x09, 0x0A, 0x0D: position += 1
        default: return
        }
      }
    }

    mutating func isAtEnd(of bytes: Span<UInt8>) -> Bool {
      skipSpace(of: bytes)
      return position == bytes.count
    }

    /// Takes the character if it is next.
    mutating func take(_ character: Unicode.Scalar, of bytes: Span<UInt8>) -> Bool {
      skipSpace(of: bytes)
      guard position < bytes.count, bytes[position] == UInt8(ascii: character) else { return false }
      position += 1
      return true
    }

    /// Valid UTF-8 without escapes and control characters.
    mutating func text(of bytes: Span<UInt8>) -> String? {
      guard take("\"", of: bytes) else { return nil }
      let start = position
      while position < bytes.count {
        switch bytes[position] {
        case UInt8(ascii: "\""):
          guard let text = try? UTF8Span(validating: bytes.extracting(start..<position)) else {
            return nil
          }
          position += 1
          return String(copying: text)
        case UInt8(ascii: "\\"), 0..<0x20: return nil
        default: position += 1
        }
      }
      return nil
    }

    mutating func value(of bytes: Span<UInt8>) -> Value? {
      skipSpace(of: bytes)
      guard position < bytes.count else { return nil }
      switch bytes[position] {
      case UInt8(ascii: "\""): return text(of: bytes).map(Value.text)
      case UInt8(ascii: "["):
        position += 1
        var texts: [String] = []
        repeat {
          guard let text = text(of: bytes) else { return nil }
          texts.append(text)
        } while take(",", of: bytes)
        return take("]", of: bytes) ? .texts(texts) : nil
      case UInt8(ascii: "t"): return word("true", of: bytes) ? .flag(true) : nil
      case UInt8(ascii: "f"): return word("false", of: bytes) ? .flag(false) : nil
      case UInt8(ascii: "n"): return word("null", of: bytes) ? .null : nil
      default: return nil
      }
    }

    private mutating func word(_ word: StaticString, of bytes: Span<UInt8>) -> Bool {
      for letter in word.description.utf8 {
        guard position < bytes.count, bytes[position] == letter else { return false }
        position += 1
      }
      return true
    }
  }
}
