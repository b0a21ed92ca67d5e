internal import Foundation

/// What `JSONDecoder` makes of a document that was found to be strict JSON first: with a member twice,
/// a comma too many or broken text, nothing is decoded. A byte order mark is passed over.
///
/// Throws `JSONProblem`, also for the one number that does not fit where it stands, and `DecodingError`
/// for a member that is missing or of another kind, whose `words` are for people.
package func decodeJSON<Value: Decodable>(
  _ type: Value.Type, from bytes: [UInt8]
) throws -> Value {
  let value = try JSONValue(bytes)
  do {
    return try JSONDecoder().decode(type, from: Data(bytes[value.range]))
  } catch DecodingError.dataCorrupted(let context) where context.codingPath.isEmpty {
    if let range = misfit(type, value) {
      throw JSONProblem(
        .number(String(decoding: bytes[range], as: UTF8.self)), at: range.lowerBound, in: bytes)
    }
    throw DecodingError.dataCorrupted(context)
  }
}

/// The decoder does not say which number it cannot represent: it is the one without which, all others
/// being 0, it finds none. Among the first 64 that can be.
private func misfit<Value: Decodable>(_ type: Value.Type, _ value: JSONValue) -> Range<Int>? {
  let numbers = value.oddNumbers(atMost: 64)
  var zeros = value.bytes
  for range in numbers {
    zeros.replaceSubrange(
      range, with: [UInt8(ascii: "0")] + [UInt8](repeating: 0x20, count: range.count - 1))
  }
  return numbers.first { range in
    var trial = zeros
    trial.replaceSubrange(range, with: value.bytes[range])
    do { _ = try JSONDecoder().decode(type, from: Data(trial[value.range])) } catch {
      if case DecodingError.dataCorrupted(let context) = error { return context.codingPath.isEmpty }
    }
    return false
  }
}
