/// The parsed and checked header of a safetensors file: names, types, shapes and where the data of
/// each tensor lies. A value of this type is truthful about `dataBytes` bytes of data: every tensor
/// lies inside, none overlap, and no byte is left over.
struct SafetensorsHeader: Sendable, Equatable {
  struct Entry: Sendable, Equatable {
    var name: String
    var type: SafetensorsType
    var shape: [Int]
    /// Bytes from the start of the data, that is from the end of the header.
    var range: Range<Int>
  }

  /// The format's own limit on the header.
  static let maximumBytes = 100_000_000
  /// Ours on the number of dimensions.
  static let maximumDimensions = 64

  /// In the order of their data.
  var entries: [Entry] = []
  var metadata: [String: String] = [:]

  /// Parses `json`, the header's bytes without the length. Linear in its size but for one sort of
  /// the entries by offset.
  init(json: [UInt8], dataBytes: Int) throws(SafetensorsProblem) {
    var scanner = JSONScanner(json)
    guard json.first == UInt8(ascii: "{") else { throw scanner.failure("expected '{'") }
    // Names are told apart by their bytes; as Strings, canonical equivalents would be one.
    var names: Set<[UInt8]> = []
    try scanner.expect("{")
    var more = !scanner.take("}")
    while more {
      let name = try scanner.string()
      guard names.insert(Array(name.utf8)).inserted else { throw .duplicateName(name) }
      try scanner.expect(":")
      if name == "__metadata__" {
        metadata = try Self.metadata(&scanner)
      } else {
        entries.append(try Self.entry(name: name, &scanner, dataBytes: dataBytes))
      }
      more = try scanner.another(before: "}")
    }
    guard scanner.peek() == nil else { throw scanner.failure("expected the end of the header") }
    try Self.checkCover(&entries, dataBytes: dataBytes)
  }

  private static func metadata(
    _ scanner: inout JSONScanner
  ) throws(SafetensorsProblem) -> [String: String] {
    var metadata: [String: String] = [:]
    try scanner.expect("{")
    var more = !scanner.take("}")
    while more {
      let key = try scanner.string()
      try scanner.expect(":")
      guard metadata.updateValue(try scanner.string(), forKey: key) == nil else {
        throw .duplicateName(key)
      }
      more = try scanner.another(before: "}")
    }
    return metadata
  }

  private static func entry(
    name: String, _ scanner: inout JSONScanner, dataBytes: Int
  ) throws(SafetensorsProblem) -> Entry {
    var type: SafetensorsType?
    var shape: [Int]?
    var offsets: [Int]?
    try scanner.expect("{")
    var more = !scanner.take("}")
    while more {
      let start = scanner.position
      let key = try scanner.string()
      try scanner.expect(":")
      switch key {
      case "dtype" where type == nil:
        let word = try scanner.string()
        guard let known = SafetensorsType(rawValue: word) else {
          throw .unknownType(name: name, type: word)
        }
        type = known
      case "shape" where shape == nil: shape = try numbers(&scanner, atMost: maximumDimensions)
      case "data_offsets" where offsets == nil: offsets = try numbers(&scanner, atMost: 2)
      default:
        throw scanner.failure("unknown or repeated field \"\(key.clipped)\"", at: start)
      }
      more = try scanner.another(before: "}")
    }
    guard let type, let shape, let offsets, offsets.count == 2 else {
      throw scanner.failure("a tensor needs dtype, shape and two data_offsets")
    }
    guard offsets[0] <= offsets[1] else {
      throw scanner.failure("data_offsets of \"\(name.clipped)\" run backwards")
    }
    guard offsets[1] <= dataBytes else {
      throw .outOfBounds(name: name, end: offsets[1], dataBytes: dataBytes)
    }
    guard let expected = byteCount(shape: shape, type: type) else {
      throw .shapeOverflow(name: name)
    }
    guard offsets[1] - offsets[0] == expected else {
      throw .wrongLength(name: name, expected: expected, found: offsets[1] - offsets[0])
    }
    return Entry(name: name, type: type, shape: shape, range: offsets[0]..<offsets[1])
  }

  private static func numbers(
    _ scanner: inout JSONScanner, atMost limit: Int
  ) throws(SafetensorsProblem) -> [Int] {
    var numbers: [Int] = []
    try scanner.expect("[")
    var more = !scanner.take("]")
    while more {
      guard numbers.count < limit else { throw scanner.failure("more than \(limit) numbers") }
      numbers.append(try scanner.unsigned())
      more = try scanner.another(before: "]")
    }
    return numbers
  }

  /// Bytes of a tensor; nil where a partial product overflows, even if a later dimension is 0.
  static func byteCount(shape: [Int], type: SafetensorsType) -> Int? {
    var bytes = type.byteCount
    for dimension in shape {
      let (product, overflow) = bytes.multipliedReportingOverflow(by: dimension)
      if overflow { return nil }
      bytes = product
    }
    return bytes
  }

  /// Sorts the entries by their place and demands that they cover the data exactly once.
  private static func checkCover(
    _ entries: inout [Entry], dataBytes: Int
  ) throws(SafetensorsProblem) {
    entries.sort {
      ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound)
    }
    var end = 0
    var previous = ""
    for entry in entries {
      let start = entry.range.lowerBound
      if start < end { throw .overlap(previous, entry.name) }
      if start > end { throw .gap(before: entry.name, bytes: start - end) }
      end = entry.range.upperBound
      previous = entry.name
    }
    if end < dataBytes { throw .trailingBytes(dataBytes - end) }
  }
}
