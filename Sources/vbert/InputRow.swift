import ArgumentParser
import Files
import Foundation
import Manager
import Model

/// A row of text without a label, as `tokenize` and `dump` read it: `{"text"}`,
/// `{"text", "text_pair"}`, `{"tokens"}` or, already tokenised, `{"ids", "type_ids"?}`.
struct InputRow: Decodable {
  var text: String?
  var text_pair: String?
  var tokens: [String]?
  var ids: [Int32]?
  var type_ids: [Int32]?

  /// The row as the base's tokeniser reads it. Throws `InputError` where nothing in it can be read,
  /// and `BaseError.noPairs`.
  func encoding(_ base: Base, maxLength: Int?) throws -> Encoding {
    if let ids {
      var encoding = Encoding()
      encoding.ids = ids
      encoding.typeIDs = type_ids ?? ids.map { _ in 0 }
      encoding.spans = ids.map { _ in .none }
      return encoding
    }
    if let tokens { return base.tokenizer.encode(words: tokens, maxLength: maxLength) }
    guard let text else { throw InputError.nothing }
    if text_pair != nil { try base.checkPairs() }
    return base.tokenizer.encode(text, pair: text_pair, maxLength: maxLength)
  }

  /// Throws unless there is room for [CLS], a token and [SEP].
  static func check(maxLength: Int?) throws {
    guard maxLength ?? 3 >= 3 else {
      throw ValidationError("--max-length must be 3 or more: [CLS], a token, [SEP]")
    }
  }

  /// Calls `body` with every row of a JSONL file (plain or gzip) and its number from 0. Throws what
  /// `body` throws, and what is wrong with a line, both with the line's number.
  static func forEach(in path: String, _ body: (Int, InputRow) throws -> Void) throws {
    let reader = try LineReader(path: path)
    var count = 0
    while let line = try reader.next() {
      if line.isBlank { continue }
      do {
        try body(count, try decodeJSON(InputRow.self, from: line.bytes))
      } catch {
        throw InputError.line(path: path, number: line.number, why: words(error))
      }
      count += 1
    }
  }
}

/// What can be wrong with a row of text.
enum InputError: Error, CustomStringConvertible {
  case nothing
  case line(path: String, number: Int, why: String)
  case tooLong(tokens: Int, limit: Int, areIDs: Bool)

  var description: String {
    switch self {
    case .nothing: "a row needs \"text\", \"tokens\" or \"ids\""
    case .line(let path, let number, let why): "\(path), line \(number): \(why)"
    case .tooLong(let tokens, let limit, let areIDs):
      "\(tokens) tokens, the base reads at most \(limit); "
        + (areIDs ? "give fewer ids" : "cut with --max-length")
    }
  }
}
