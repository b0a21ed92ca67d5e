/// An object in a file of a model's folder: its members by name, each of the kind that is asked for.
/// `null` is as if the member were not there. Every reading throws `FolderProblem` with the file and
/// the member's whole path.
package struct FileObject: Sendable {
  package let file: String
  /// What stands before a member's name: "" or "normalizer.".
  private let path: String
  package let members: [JSONValue.Member]

  /// Throws where the bytes are no JSON, or no object.
  package init(_ file: String, _ bytes: [UInt8]) throws(FolderProblem) {
    let value: JSONValue
    do { value = try JSONValue(bytes) } catch {
      throw .unreadable(file: file, what: "\(error)")
    }
    try self.init(file, path: "", value)
  }

  init(_ file: String, path: String, _ value: JSONValue) throws(FolderProblem) {
    guard let members = value.members else {
      throw path.isEmpty
        ? .unreadable(file: file, what: "it is \(value.shown), not a JSON object")
        : .wrongKind(file: file, member: path, value: value.shown, expected: "an object")
    }
    (self.file, self.members) = (file, members)
    self.path = path.isEmpty ? "" : path + "."
  }

  /// The member, by the bytes of its name; nil where there is none, or it is null, which says the same.
  package subscript(_ member: String) -> JSONValue? {
    let found = members.first { $0.name.utf8.elementsEqual(member.utf8) }?.value
    return found?.kind == .null ? nil : found
  }

  package func refused(_ member: String, _ why: String) -> FolderProblem {
    .refused(file: file, member: path + member, value: shown(member), why: why)
  }

  private func shown(_ member: String) -> String { self[member]?.shown ?? "missing" }

  func wrongKind(_ member: String, _ expected: String) -> FolderProblem {
    .wrongKind(file: file, member: path + member, value: shown(member), expected: expected)
  }

  package func text(_ member: String) throws(FolderProblem) -> String? {
    guard let found = self[member] else { return nil }
    guard let text = found.text else { throw wrongKind(member, "text") }
    return text
  }

  package func flag(_ member: String) throws(FolderProblem) -> Bool? {
    guard let found = self[member] else { return nil }
    guard let flag = found.flag else { throw wrongKind(member, "true or false") }
    return flag
  }

  package func whole(_ member: String) throws(FolderProblem) -> Int? {
    guard let found = self[member] else { return nil }
    guard let whole = found.whole else { throw wrongKind(member, "a whole number") }
    return whole
  }

  package func object(_ member: String) throws(FolderProblem) -> FileObject? {
    guard let found = self[member] else { return nil }
    return try FileObject(file, path: path + member, found)
  }

  package func list(_ member: String) throws(FolderProblem) -> [JSONValue]? {
    guard let found = self[member] else { return nil }
    guard let list = found.list else { throw wrongKind(member, "a list") }
    return list
  }

  package func objects(_ member: String) throws(FolderProblem) -> [FileObject]? {
    guard let list = try list(member) else { return nil }
    var objects: [FileObject] = []
    for (index, value) in list.enumerated() {
      objects.append(try FileObject(file, path: "\(path)\(member)[\(index)]", value))
    }
    return objects
  }

  package func texts(_ member: String) throws(FolderProblem) -> [String]? {
    guard let list = try list(member) else { return nil }
    var texts: [String] = []
    for value in list {
      guard let text = value.text else { throw wrongKind(member, "a list of texts") }
      texts.append(text)
    }
    return texts
  }

  /// Whether it says something: neither missing nor null, false, "", [] or {}.
  func says(_ member: String) -> Bool {
    guard let value = self[member] else { return false }
    return !value.isEmpty && value.flag != false && value.text != ""
  }
}
