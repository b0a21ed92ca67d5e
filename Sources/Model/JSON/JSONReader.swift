/// Reads a JSON document into a `JSONValue`, over the scanner that safetensors headers are read with.
struct JSONReader {
  /// Numbers that not every whole-number type holds are noted, at most so many.
  static let mostNumbers = 64

  private let bytes: [UInt8]
  private var scanner: JSONScanner
  private var numbers: [Range<Int>] = []

  /// The value, and where in the bytes the numbers lie that are negative, broken or longer than nine
  /// digits. Throws `JSONProblem`.
  static func read(
    _ bytes: [UInt8]
  ) throws(JSONProblem) -> (value: JSONValue, numbers: [Range<Int>]) {
    var reader = JSONReader(bytes: bytes, scanner: JSONScanner(bytes))
    guard reader.scanner.peek() != nil else { throw .empty }
    let value = try reader.value(depth: 0)
    if reader.scanner.peek() != nil {
      throw .syntax(reader.place, what: "more behind the end")
    }
    return (value, reader.numbers)
  }

  private init(bytes: [UInt8], scanner: JSONScanner) {
    (self.bytes, self.scanner) = (bytes, scanner)
  }

  private var place: JSONProblem.Place { JSONProblem.Place(of: scanner.position, in: bytes) }

  private mutating func scan<Result>(
    _ body: (inout JSONScanner) throws(SafetensorsProblem) -> Result
  ) throws(JSONProblem) -> Result {
    do { return try body(&scanner) } catch { throw JSONProblem(error, in: bytes) }
  }

  private mutating func value(depth: Int) throws(JSONProblem) -> JSONValue {
    guard let next = scanner.peek() else { throw .syntax(place, what: "it ends too early") }
    switch next {
    case UInt8(ascii: "{"): return .object(try members(depth: depth + 1))
    case UInt8(ascii: "["): return .list(try elements(depth: depth + 1))
    case UInt8(ascii: "\""):
      return .text(try scan { (scanner) throws(SafetensorsProblem) in try scanner.string() })
    case UInt8(ascii: "t") where scanner.take(word: "true"): return .flag(true)
    case UInt8(ascii: "f") where scanner.take(word: "false"): return .flag(false)
    case UInt8(ascii: "n") where scanner.take(word: "null"): return .null
    default: break
    }
    let range = try scan { (scanner) throws(SafetensorsProblem) in try scanner.number() }
    let text = String(decoding: bytes[range], as: UTF8.self)
    let isPlain = range.count <= 9 && text.utf8.allSatisfy { $0 >= UInt8(ascii: "0") }
    if (!isPlain || text.contains("e") || text.contains("E")), numbers.count < Self.mostNumbers {
      numbers.append(range)
    }
    return .number(text)
  }

  private mutating func elements(depth: Int) throws(JSONProblem) -> [JSONValue] {
    guard depth <= JSONValue.deepest else { throw .tooDeep(place) }
    try scan { (scanner) throws(SafetensorsProblem) in try scanner.expect("[") }
    var list: [JSONValue] = []
    if scanner.take("]") { return list }
    repeat {
      list.append(try value(depth: depth))
    } while try scan {
      (scanner) throws(SafetensorsProblem) in try scanner.another(before: "]")
    }
    return list
  }

  private mutating func members(depth: Int) throws(JSONProblem) -> [JSONValue.Member] {
    guard depth <= JSONValue.deepest else { throw .tooDeep(place) }
    try scan { (scanner) throws(SafetensorsProblem) in try scanner.expect("{") }
    var (members, names): ([JSONValue.Member], Set<[UInt8]>) = ([], [])
    if scanner.take("}") { return members }
    repeat {
      _ = scanner.peek()
      let place = scanner.position
      let name = try scan { (scanner) throws(SafetensorsProblem) in try scanner.string() }
      // By bytes: names that are canonically equivalent are different names.
      guard names.insert(Array(name.utf8)).inserted else {
        throw .twice(JSONProblem.Place(of: place, in: bytes), member: name)
      }
      try scan { (scanner) throws(SafetensorsProblem) in try scanner.expect(":") }
      members.append(JSONValue.Member(name: name, value: try value(depth: depth)))
    } while try scan { (scanner) throws(SafetensorsProblem) in try scanner.another(before: "}") }
    return members
  }
}
