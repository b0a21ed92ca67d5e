internal import Foundation

/// What `JSONDecoder` makes of a document that was found to be strict JSON first: with a member twice,
/// a comma too many or broken text, nothing is decoded. A byte order mark is passed over.
///
/// Throws `JSONProblem`, also for the one number that does not fit where it stands, and `DecodingError`
/// for a member that is missing or of another kind, whose `words` are for people.
package func decodeJSON<Value: Decodable>(
  _ type: Value.Type, from bytes: [UInt8]
) throws -> Value {
  let bytes = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? Array(bytes.dropFirst(3)) : bytes
  let numbers = try JSONReader.read(bytes).numbers
  do {
    return try JSONDecoder().decode(type, from: Data(bytes))
  } catch DecodingError.dataCorrupted(let context) where context.codingPath.isEmpty {
    if let range = misfit(type, bytes, numbers) {
      throw JSONProblem.number(
        JSONProblem.Place(of: range.lowerBound, in: bytes),
        text: String(decoding: bytes[range], as: UTF8.self))
    }
    throw DecodingError.dataCorrupted(context)
  }
}

/// The decoder does not say which number it cannot represent: it is the one without which, all others
/// being 0, it finds none.
private func misfit<Value: Decodable>(
  _ type: Value.Type, _ bytes: [UInt8], _ numbers: [Range<Int>]
) -> Range<Int>? {
  var zeros = bytes
  for range in numbers {
    zeros.replaceSubrange(
      range, with: [UInt8(ascii: "0")] + [UInt8](repeating: 0x20, count: range.count - 1))
  }
  return numbers.first { range in
    var trial = zeros
    trial.replaceSubrange(range, with: bytes[range])
    do { _ = try JSONDecoder().decode(type, from: Data(trial)) } catch {
      if case DecodingError.dataCorrupted(let context) = error { return context.codingPath.isEmpty }
    }
    return false
  }
}
