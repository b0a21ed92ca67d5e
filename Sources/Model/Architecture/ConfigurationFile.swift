/// config.json, whose fields have other names in other families.
struct ConfigurationFile {
  private let root: JSONValue

  /// Throws `ConfigurationError.unreadable`.
  init(json: [UInt8]) throws(ConfigurationError) {
    do { root = try JSONValue(json) } catch { throw .unreadable("\(error)") }
    guard root.kind == .object else { throw .unreadable("it is not a JSON object") }
  }

  func text(_ field: String) throws(ConfigurationError) -> String? {
    guard let value = root[field] else { return nil }
    guard let text = value.text else { throw .wrongKind(field: field, expected: "text") }
    return text
  }

  func flag(_ field: String) throws(ConfigurationError) -> Bool? {
    guard let value = root[field] else { return nil }
    guard let flag = value.flag else {
      throw .wrongKind(field: field, expected: "true or false")
    }
    return flag
  }

  func number(_ field: String) throws(ConfigurationError) -> Float? {
    guard let value = root[field] else { return nil }
    guard let number = value.double else { throw .wrongKind(field: field, expected: "a number") }
    return Float(number)
  }

  /// Whether a field, or one inside it, is missing or says nothing.
  func isEmpty(_ path: String...) -> Bool {
    guard let value = value(path) else { return true }
    return value.isEmpty || value.flag == false
  }

  func shown(_ path: String...) -> String { value(path)?.shown ?? "missing" }

  private func value(_ path: [String]) -> JSONValue? {
    path.reduce(root) { (value: JSONValue?, field) in value?[field] }
  }

  /// `alias` is what else the field may be called; where both are there, they must agree.
  func size(
    _ field: String, alias: String?, default standard: Int?
  ) throws(ConfigurationError) -> Int {
    func size(_ field: String) throws(ConfigurationError) -> Int? {
      guard let value = root[field] else { return nil }
      guard let size = value.whole else {
        throw .wrongKind(field: field, expected: "a whole number")
      }
      return size
    }
    let own = try size(field)
    guard let alias, let other = try size(alias) else {
      if let value = own ?? standard { return value }
      throw .missing(field: field)
    }
    guard own ?? other == other else {
      throw .refused(
        field: alias, value: "\(other)", why: "\(field) says \(own ?? other); remove the wrong one")
    }
    return other
  }

  /// What the file says it is; never a guess.
  func architecture() throws(ConfigurationError) -> Architecture {
    let supported = Architecture.all.map(\.name).joined(separator: ", ")
    let writers = try writers()
    guard let type = try text("model_type") else {
      guard let writer = writers.first else { throw .missing(field: "model_type") }
      guard let known = Architecture.writing(writer) else {
        throw .unsupported(field: "architectures", value: writer.clipped, supported: supported)
      }
      try check(writers, known, named: "as \(writer.clipped)")
      return known
    }
    guard let known = Architecture.named(type) else {
      throw .unsupported(field: "model_type", value: type.clipped, supported: supported)
    }
    try check(writers, known, named: "model_type says \(type)")
    return known
  }

  private func writers() throws(ConfigurationError) -> [String] {
    guard let value = root["architectures"] else { return [] }
    let problem = ConfigurationError.wrongKind(field: "architectures", expected: "a list of names")
    guard let names = value.texts else { throw problem }
    return names
  }

  private func check(
    _ writers: [String], _ family: Architecture, named: String
  ) throws(ConfigurationError) {
    for writer in writers where Architecture.writing(writer)?.name != family.name {
      throw .refused(
        field: "architectures", value: "\"\(writer.clipped)\"",
        why: "but \(named); correct the one that is wrong")
    }
  }
}
