internal import Model

/// A body's members that are honoured, to be read by name as what they should be. All reading throws
/// `APIError.invalid` with the member's path where it is something else.
struct Members {
  private let given: [Dialect.Given]
  /// `inputs.` for the members of `inputs`.
  private let prefix: String

  /// Of a body of that dialect. Throws `APIError` for anything in it that is not honoured.
  init(_ body: JSONValue, _ dialect: Dialect) throws(APIError) {
    guard let members = body.members else { throw .malformed("a JSON object was expected") }
    let top = Self.present(members, "")
    let own = top.filter { $0.name != "parameters" && $0.name != "options" }
    let parameters = try Self.members(of: "parameters", in: top)
    try dialect.check(own, inParameters: parameters)
    for option in try Self.members(of: "options", in: top)
    where !["use_cache", "wait_for_model", "use_gpu"].contains(option.name) {
      throw .refused(
        "\(clipped(option.path)) is not honoured; what changes an answer belongs beside inputs, or into parameters",
        param: clipped(option.path))
    }
    given = own + parameters
    prefix = ""
  }

  /// Of nothing but `parameters`. Throws `APIError`.
  init(parameters members: [JSONValue.Member], _ dialect: Dialect) throws(APIError) {
    given = Self.present(members, "parameters.")
    prefix = ""
    try dialect.check([], inParameters: given)
  }

  private init(_ given: [Dialect.Given], prefix: String) {
    (self.given, self.prefix) = (given, prefix)
  }

  /// Those that are not null.
  private static func present(
    _ members: [JSONValue.Member], _ prefix: String
  ) -> [Dialect.Given] {
    members.compactMap { member in
      guard member.value.kind != .null else { return nil }
      return Dialect.Given(name: member.name, path: prefix + member.name, value: member.value)
    }
  }

  private static func members(
    of name: String, in given: [Dialect.Given]
  ) throws(APIError) -> [Dialect.Given] {
    guard let one = given.first(where: { $0.name == name }) else { return [] }
    guard let members = one.value.members else {
      throw .invalid("an object was expected", param: one.path)
    }
    return present(members, "\(one.path).")
  }

  /// The member, where it is there and not null.
  func find(_ name: String) -> Dialect.Given? { given.first { $0.name == name } }

  private func read<Value>(
    _ name: String, _ expected: String, _ read: (JSONValue) -> Value?
  ) throws(APIError) -> Value? {
    guard let one = find(name) else { return nil }
    guard let value = read(one.value) else {
      if let (place, kind) = one.value.firstOdd {
        throw .invalid(
          "text was expected, and this is \(kind.words)", param: "\(one.path)[\(place)]")
      }
      throw .invalid("\(expected) was expected", param: one.path)
    }
    return value
  }

  func flag(_ name: String) throws(APIError) -> Bool? {
    try read(name, "true or false") { $0.flag }
  }

  func text(_ name: String) throws(APIError) -> String? { try read(name, "text") { $0.text } }

  func texts(_ name: String) throws(APIError) -> [String]? {
    try read(name, "a list of texts") { $0.texts }
  }

  func wholeNumber(_ name: String) throws(APIError) -> Int? {
    try read(name, "a whole number") { $0.whole }
  }

  /// A number of things.
  func count(_ name: String) throws(APIError) -> Int? {
    guard let count = try wholeNumber(name), let path = find(name)?.path else { return nil }
    guard count >= 1 else {
      throw .invalid("a whole number from 1 on was expected", param: path)
    }
    return count
  }

  /// One of a few words.
  func word<Word: OneOf>(_ name: String, as: Word.Type = Word.self) throws(APIError) -> Word? {
    try read(name, Word.allCases.map(\.rawValue).joined(separator: " or ")) {
      $0.text.flatMap { Word(rawValue: $0) }
    }
  }

  /// What is needed. Throws `APIError.missing` where it is not there.
  func need<Value>(
    _ name: String, _ expected: String, _ read: (JSONValue) -> Value?
  ) throws(APIError) -> Value {
    guard let value = try self.read(name, expected, read) else {
      throw .missing(prefix + name, butNot: nil, path: "")
    }
    return value
  }

  /// The members of a member, all of which are `names`.
  func members(of name: String, _ names: [String]) throws(APIError) -> Members {
    guard let one = find(name) else { throw .missing(name, butNot: nil, path: "") }
    guard one.value.kind == .object else {
      throw .invalid(
        "an object with \(names.joined(separator: " and ")) was expected", param: one.path)
    }
    let inner = try Self.members(of: name, in: [one])
    for member in inner where !names.contains(member.name) {
      throw .refused(
        "\(clipped(member.path)) is not a member of \(name), which has: "
          + names.joined(separator: ", "), param: clipped(member.path))
    }
    return Members(inner, prefix: "\(name).")
  }
}

extension Members {
  /// OpenAI's `input`. Throws `APIError`.
  func input() throws(APIError) -> Texts {
    if let one = find("input"), one.value.holdsNumbers {
      throw .invalid(
        "texts are wanted, and these are numbers: token ids mean something to the tokeniser that made them alone. "
          + "LangChain's OpenAIEmbeddings sends texts with check_embedding_ctx_length=False",
        param: one.path)
    }
    return try need("input", Texts.expected, Texts.init)
  }
}

extension JSONValue {
  /// A list that begins with a number, or with a list that does: token ids, as OpenAI also takes them.
  fileprivate var holdsNumbers: Bool {
    guard let first = first(where: { _ in true })?.value else { return false }
    return first.kind == .number || first.first(where: { _ in true })?.value.kind == .number
  }

  /// Of a list of texts, or of lists of these, what first is neither, and where.
  fileprivate var firstOdd: (place: Int, kind: Kind)? {
    first { $0.kind != .text && $0.kind != .list }.map { ($0.place, $0.value.kind) }
  }
}

extension JSONValue.Kind {
  /// As it is told to people.
  var words: String {
    switch self {
    case .text: "text"
    case .number: "a number"
    case .flag: "true or false"
    case .null: "null"
    case .list: "a list"
    case .object: "an object"
    }
  }
}

/// A word of a few; another is refused with those that there are.
protocol OneOf: RawRepresentable<String>, CaseIterable {}
