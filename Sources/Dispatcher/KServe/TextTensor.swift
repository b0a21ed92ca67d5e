internal import Model

/// A tensor of texts that came: `BYTES` of the shape [n] or [n, 1], in JSON or as bytes, each text behind its length.
struct TextTensor: Sendable, Equatable {
  let name: String
  let texts: [String]

  /// Takes its own from the front of `bytes`, where it is not in JSON. Throws `APIError`.
  init(_ value: JSONValue, _ path: String, bytes: inout ArraySlice<UInt8>) throws(APIError) {
    let members = try InferMembers(
      value, path, ["name", "shape", "datatype", "data", "parameters"])
    guard let name = try members.text("name") else {
      throw .missing("\(path).name", butNot: nil, path: "")
    }
    self.name = name
    guard try members.text("datatype") == "BYTES" else {
      throw .invalid("BYTES was expected: texts", param: members.at("datatype"))
    }
    let count = try Self.count(members)
    let size = try members.value("parameters").map { value throws(APIError) in
      try InferMembers(value, members.at("parameters"), ["binary_data_size"])
        .whole("binary_data_size")
    }
    switch (members.value("data"), size.flatMap { $0 }) {
    case (let data?, nil): texts = try Self.texts(data, members.at("data"))
    case (nil, let size?):
      guard 0...bytes.count ~= size else {
        throw .malformed(
          "\(path) has \(size) bytes, and \(bytes.count) are there (is Inference-Header-Content-Length sent?)"
        )
      }
      texts = try Self.texts(bytes.prefix(size), path)
      bytes = bytes.dropFirst(size)
    case (nil, nil): throw .missing(members.at("data"), butNot: nil, path: "")
    case (_?, _?):
      throw .refused("\(path) has data and bytes: say it once", param: members.at("data"))
    }
    guard texts.count == count else {
      throw .invalid("it says \(count), and there are \(texts.count)", param: members.at("shape"))
    }
  }

  private static func count(_ members: InferMembers) throws(APIError) -> Int {
    guard let list = try members.list("shape") else {
      throw .missing(members.at("shape"), butNot: nil, path: "")
    }
    let sides = list.map { $0.whole ?? -1 }
    guard let count = sides.first, count >= 0, sides.dropFirst().allSatisfy({ $0 == 1 }),
      sides.count <= 2
    else { throw .invalid("[n] or [n, 1] was expected", param: members.at("shape")) }
    return count
  }

  /// Flat, or as the shape nests them.
  private static func texts(_ data: JSONValue, _ path: String) throws(APIError) -> [String] {
    if let texts = data.texts { return texts }
    if let rows = data.textLists, rows.allSatisfy({ $0.count == 1 }) { return rows.map { $0[0] } }
    throw .invalid("a list of texts was expected", param: path)
  }

  /// Each behind its length, four bytes, the lowest first.
  static func texts(_ bytes: ArraySlice<UInt8>, _ path: String) throws(APIError) -> [String] {
    var (rest, texts) = (bytes, [String]())
    while !rest.isEmpty {
      let head = rest.prefix(4)
      let length = head.reversed().reduce(0) { $0 << 8 | Int($1) }
      rest = rest.dropFirst(4)
      guard head.count == 4, length <= rest.count else {
        throw .malformed("\(path): text \(texts.count) is cut short")
      }
      guard let text = String(validating: rest.prefix(length), as: UTF8.self) else {
        throw .malformed("\(path): text \(texts.count) is not UTF-8")
      }
      texts.append(text)
      rest = rest.dropFirst(length)
    }
    return texts
  }
}
