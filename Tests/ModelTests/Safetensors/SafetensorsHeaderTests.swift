import Testing

@testable import Model

/// A file from a header and `dataBytes` zero bytes of data.
func safetensors(_ json: String, dataBytes: Int = 0, claiming length: UInt64? = nil) -> [UInt8] {
  let length = length ?? UInt64(json.utf8.count)
  return (0..<8).map { UInt8(truncatingIfNeeded: length >> ($0 * 8)) } + Array(json.utf8)
    + Array(repeating: 0, count: dataBytes)
}

/// A header entry.
private func entry(_ name: String, _ shape: String, _ offsets: String) -> String {
  entry(name, "F32", shape, offsets)
}

private func entry(
  _ name: String, _ type: String, _ shape: String, _ offsets: String
) -> String {
  "\"\(name)\":{\"dtype\":\"\(type)\",\"shape\":\(shape),\"data_offsets\":\(offsets)}"
}

@Suite struct SafetensorsHeaderTests {
  private func problem(_ bytes: [UInt8]) -> SafetensorsProblem? {
    do throws(SafetensorsError) {
      _ = try SafetensorsFile(bytes: bytes)
      return nil
    } catch {
      if case .malformed(_, let problem) = error { return problem }
      Issue.record("unexpected \(error)")
      return nil
    }
  }

  private func problem(_ entries: String..., dataBytes: Int) -> SafetensorsProblem? {
    problem(safetensors("{\(entries.joined(separator: ","))}", dataBytes: dataBytes))
  }

  /// What the header parser says, without the byte it said it at.
  private func syntax(_ json: String, dataBytes: Int = 4) -> String? {
    if case .syntax(_, let what) = problem(safetensors(json, dataBytes: dataBytes)) { return what }
    return nil
  }

  @Test func acceptsWhatTheFormatAllows() throws {
    let empty = try SafetensorsFile(bytes: safetensors("{}"))
    #expect(empty.names.isEmpty)
    #expect(problem(entry("scalar", "[]", "[0,4]"), dataBytes: 4) == nil)
    #expect(
      problem(entry("none", "[0,7]", "[0,0]"), entry("a", "[1]", "[0,4]"), dataBytes: 4) == nil)
    #expect(
      problem(entry("later", "[1]", "[4,8]"), entry("a", "[1]", "[0,4]"), dataBytes: 8) == nil)
    for type in SafetensorsType.allCases {
      let size = type.byteCount * 3
      #expect(problem(entry("a", type.rawValue, "[3]", "[0,\(size)]"), dataBytes: size) == nil)
    }
    let spaced = " \n\t\r"
    let json = "{\(spaced)\"a\"\(spaced):\(spaced){\"shape\" : [ 1 ], \"data_offsets\":[0 ,4],"
    #expect(problem(safetensors(json + "\"dtype\":\"F32\"} } \(spaced)", dataBytes: 4)) == nil)
  }

  @Test func refusesLengths() {
    #expect(problem([]) == .noHeaderLength(fileBytes: 0))
    #expect(problem([2, 0, 0, 0, 0, 0, 0]) == .noHeaderLength(fileBytes: 7))
    #expect(
      problem(safetensors("{}", claiming: 3)) == .headerPastEnd(headerBytes: 3, fileBytes: 10))
    #expect(problem(safetensors("{}", claiming: 100_000_001)) == .headerTooLong(bytes: 100_000_001))
    #expect(problem(safetensors("{}", claiming: .max)) == .headerTooLong(bytes: .max))
    #expect(
      problem(safetensors("{}", claiming: 100_000_000))
        == .headerPastEnd(headerBytes: 100_000_000, fileBytes: 10))
    #expect(problem(safetensors("{}", dataBytes: 3)) == .trailingBytes(3))
  }

  @Test func refusesPlacesThatLie() {
    let a = entry("a", "[2]", "[0,8]")
    #expect(problem(a, entry("b", "[2]", "[4,12]"), dataBytes: 12) == .overlap("a", "b"))
    #expect(problem(a, entry("b", "[2]", "[0,8]"), dataBytes: 8) == .overlap("a", "b"))
    #expect(problem(a, entry("b", "[1]", "[12,16]"), dataBytes: 16) == .gap(before: "b", bytes: 4))
    #expect(problem(entry("b", "[1]", "[4,8]"), dataBytes: 8) == .gap(before: "b", bytes: 4))
    #expect(problem(a, dataBytes: 9) == .trailingBytes(1))
    #expect(problem(a, dataBytes: 7) == .outOfBounds(name: "a", end: 8, dataBytes: 7))
    #expect(
      problem(entry("a", "[2]", "[0,9]"), dataBytes: 9)
        == .wrongLength(name: "a", expected: 8, found: 9))
    #expect(
      problem(entry("a", "I64", "[1]", "[0,4]"), dataBytes: 4)
        == .wrongLength(name: "a", expected: 8, found: 4))
    #expect(
      problem(a, entry("c", "[0]", "[4,4]"), dataBytes: 8) == .overlap("a", "c"),
      "an empty tensor inside another one")
    #expect(syntax("{\(entry("a", "[1]", "[4,0]"))}")?.contains("backwards") == true)
  }

  @Test func refusesShapesThatOverflow() {
    let huge = "9223372036854775807"
    for shape in ["[4294967296,4294967296]", "[\(huge),2]", "[\(huge)]", "[\(huge),4,0]"] {
      #expect(problem(entry("a", shape, "[0,4]"), dataBytes: 4) == .shapeOverflow(name: "a"))
    }
    #expect(
      syntax("{\(entry("a", "[9223372036854775808]", "[0,4]"))}") == "the number is too large")
    #expect(
      syntax("{\(entry("a", "[1]", "[0,99999999999999999999999]"))}") == "the number is too large")
    let ones = "[\(Array(repeating: "1", count: 65).joined(separator: ","))]"
    #expect(syntax("{\(entry("a", ones, "[0,4]"))}") == "more than 64 numbers")
  }

  @Test(arguments: [
    "-1", "1.0", "1e0", "01", "\"1\"", "null", "true", "1.", "+1", "0x1", "[1]",
  ])
  func refusesNumbers(_ number: String) {
    #expect(syntax("{\(entry("a", "[\(number)]", "[0,4]"))}") != nil)
    #expect(syntax("{\(entry("a", "[1]", "[0,\(number)4]"))}") != nil)
  }

  @Test func refusesNamesAndTypes() {
    let a = entry("a", "[1]", "[0,4]")
    #expect(problem(a, entry("a", "[1]", "[4,8]"), dataBytes: 8) == .duplicateName("a"))
    #expect(problem(a, entry("\\u0061", "[1]", "[4,8]"), dataBytes: 8) == .duplicateName("a"))
    #expect(
      problem(safetensors(#"{"__metadata__":{},"__metadata__":{}}"#))
        == .duplicateName("__metadata__"))
    #expect(
      problem(safetensors(#"{"__metadata__":{"k":"1","k":"2"}}"#)) == .duplicateName("k"))
    #expect(
      problem(entry("a", "f32", "[1]", "[0,4]"), dataBytes: 4)
        == .unknownType(name: "a", type: "f32"))
  }

  @Test func namesAreToldApartByBytes() throws {
    let json =
      "{\(entry("\u{E9}", "U8", "[1]", "[0,1]")),\(entry("e\u{301}", "U8", "[1]", "[1,2]"))}"
    var bytes = safetensors(json, dataBytes: 2)
    bytes[bytes.count - 1] = 7
    let file = try SafetensorsFile(bytes: bytes)
    #expect(try file.floats("\u{E9}") == [0])
    #expect(try file.floats("e\u{301}") == [7])
    #expect(file.names.map { Array($0.utf8) } == [[0x65, 0xCC, 0x81], [0xC3, 0xA9]])
  }

  @Test func resolvesEscapes() throws {
    let escaped = #"\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00\u0000\uFFFF"#
    let file = try SafetensorsFile(
      bytes: safetensors("{\(entry(escaped, "[1]", "[0,4]"))}", dataBytes: 4))
    let expected = "\"\\/\u{8}\u{C}\n\r\té😀\u{0}\u{FFFF}"
    #expect(file.names.map { Array($0.utf8) } == [Array(expected.utf8)])
  }

  @Test(arguments: [
    #"\ud83d"#, #"\ude00"#, #"\ud83d\u0041"#, #"\ud83dx"#, #"\x"#, #"\u12"#, #"\u12G4"#, "\u{1}",
    #"\u１234"#,
  ])
  func refusesStrings(_ name: String) {
    #expect(syntax("{\(entry(name, "[1]", "[0,4]"))}") != nil)
  }

  @Test func refusesInvalidUTF8() {
    var bytes = safetensors("{\(entry("?", "[1]", "[0,4]"))}", dataBytes: 4)
    for byte: UInt8 in [0xC3, 0xFF, 0xC0, 0x80] {
      bytes[10] = byte
      #expect(problem(bytes) != nil)
    }
  }

  @Test(arguments: [
    "", " {}", "[]", "{", "{}x", "{},", "{\"a\"}", "{\"a\":}", "{\"a\":{}}", "{\"a\":[]}", "{,}",
    "null",
    "{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}",
    "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0]}}",
    "{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}",
    "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4],\"x\":1}}",
    "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4,8]}}",
    "{\"a\":{\"dtype\":\"F32\",\"shape\":[1,],\"data_offsets\":[0,4]}}",
    "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},}",
    "{\"__metadata__\":{\"a\":1}}", "{\"__metadata__\":[]}", "{\"__metadata__\":{\"a\":{}}}",
  ])
  func refusesJSON(_ json: String) {
    #expect(syntax(json, dataBytes: 4) != nil)
  }

  /// Depth is bounded by the schema: the second bracket already is a mistake.
  @Test func refusesNestingAtOnce() {
    for open in ["[", "{\"a\":", "{\"__metadata__\":{\"a\":["] {
      let json = "{\"a\":{\"shape\":" + String(repeating: open, count: 2_000_000 / open.utf8.count)
      #expect(syntax(json) != nil)
    }
  }

  @Test func errorsStayShort() {
    let name = String(repeating: "n", count: 1_000_000)
    let error = problem(entry(name, "[1]", "[0,4]"), dataBytes: 3)
    #expect(error.map { "\($0)".utf8.count < 300 } == true)
  }
}
