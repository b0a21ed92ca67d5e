internal import Model

/// A request of the Open Inference Protocol v2 (https://github.com/kserve/open-inference-protocol), with Triton's binary
/// extension: JSON, and behind it the bytes of tensors that are not in it.
struct InferRequest: Sendable {
  /// What is to be answered, and how.
  struct Wanted: Sendable, Equatable {
    let name: String
    let isBinary: Bool
  }

  /// The client's name for the request, which is told back.
  let id: String?
  let texts: [String]
  /// Of pairs the second texts.
  let pairs: [String]?
  /// nil: all outputs.
  let outputs: [Wanted]?
  /// Whether outputs that do not say it themselves are answered as bytes.
  let isBinary: Bool
  /// What else is asked for: members of the task's own route.
  let parameters: [JSONValue.Member]

  /// What a tensor's `parameters`, and the request's, may say of bytes.
  private static let binary: String = "binary_data_output"

  /// `headerBytes`: how many of the bytes are JSON; nil for all. Throws `APIError`.
  init(_ bytes: [UInt8], headerBytes: Int?) throws(APIError) {
    let count = headerBytes ?? bytes.count
    guard 0...bytes.count ~= count else {
      throw .malformed("Inference-Header-Content-Length is not a part of its \(bytes.count) bytes")
    }
    let value = try JSONValue(body: Array(bytes[..<count]))
    let members = try InferMembers(value, "", ["id", "inputs", "outputs", "parameters"])
    id = try members.text("id")
    let given = try members.value("parameters").map { value throws(APIError) in
      try InferMembers(value, "parameters", nil)
    }
    let isBinary = try given?.flag(Self.binary) ?? false
    self.isBinary = isBinary
    parameters = given?.all.filter { $0.name != Self.binary } ?? []
    // None is all, as to Triton.
    let wanted = try members.list("outputs")
    outputs =
      if let wanted, !wanted.isEmpty { try Self.wanted(wanted, isBinary: isBinary) } else { nil }
    let inputs = try members.list("inputs") ?? []
    var (rest, tensors) = (bytes[count...], [String: [String]]())
    for (place, input) in inputs.enumerated() {
      let tensor = try TextTensor(input, "inputs[\(place)]", bytes: &rest)
      guard ["text", "text_pair"].contains(tensor.name) else {
        throw .refused(
          "inputs[\(place)]: there is no input \(clipped(tensor.name)); there are text and text_pair",
          param: "inputs")
      }
      guard tensors.updateValue(tensor.texts, forKey: tensor.name) == nil else {
        throw .refused("\(tensor.name) is given twice: say it once", param: "inputs")
      }
    }
    guard rest.isEmpty else {
      throw .malformed("\(rest.count) bytes are behind its tensors, and belong to none")
    }
    guard let texts = tensors["text"] else {
      throw .invalid("an input named text was expected", param: "inputs")
    }
    (self.texts, pairs) = (texts, tensors["text_pair"])
    guard pairs.map({ $0.count == texts.count }) ?? true else {
      throw .invalid(
        "text has \(texts.count) texts and text_pair \(pairs?.count ?? 0)", param: "inputs")
    }
  }

  private static func wanted(
    _ list: [JSONValue], isBinary: Bool
  ) throws(APIError) -> [Wanted] {
    var all: [Wanted] = []
    for (place, value) in list.enumerated() {
      let path = "outputs[\(place)]"
      let members = try InferMembers(value, path, ["name", "parameters"])
      guard let name = try members.text("name") else {
        throw .missing("\(path).name", butNot: nil, path: "")
      }
      guard !all.contains(where: { $0.name == name }) else {
        throw .refused("\(path): \(clipped(name)) is asked for twice", param: path)
      }
      let own = try members.value("parameters").map { value throws(APIError) in
        try InferMembers(value, "\(path).parameters", ["binary_data"]).flag("binary_data")
      }
      all.append(Wanted(name: name, isBinary: own.flatMap { $0 } ?? isBinary))
    }
    return all
  }
}

/// An object of such a request: every member is read, or refused by its name.
struct InferMembers {
  let all: [JSONValue.Member]
  private let path: String

  /// `known` nil: all may be there. Throws `APIError`.
  init(_ value: JSONValue, _ path: String, _ known: [String]?) throws(APIError) {
    guard let members = value.members else {
      if path.isEmpty { throw .malformed("a JSON object was expected") }
      throw .invalid("an object was expected", param: path)
    }
    (all, self.path) = (members.filter { $0.value.kind != .null }, path)
    guard let known, let odd = all.first(where: { !known.contains($0.name) }) else { return }
    let name = clipped(at(odd.name))
    throw .refused(
      "\(name) is not honoured here; there are: \(known.joined(separator: ", "))", param: name)
  }

  func at(_ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }
  func value(_ name: String) -> JSONValue? { all.first { $0.name == name }?.value }

  func text(_ name: String) throws(APIError) -> String? { try read(name, "text") { $0.text } }
  func whole(_ name: String) throws(APIError) -> Int? {
    try read(name, "a whole number") { $0.whole }
  }
  func flag(_ name: String) throws(APIError) -> Bool? {
    try read(name, "true or false") { $0.flag }
  }
  func list(_ name: String) throws(APIError) -> [JSONValue]? {
    try read(name, "a list") { $0.list }
  }

  private func read<Value>(
    _ name: String, _ expected: String, _ read: (JSONValue) -> Value?
  ) throws(APIError) -> Value? {
    guard let value = value(name) else { return nil }
    guard let found = read(value) else {
      throw .invalid("\(expected) was expected", param: at(name))
    }
    return found
  }
}
