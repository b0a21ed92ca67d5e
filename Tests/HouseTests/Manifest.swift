/// A target as Package.swift declares it.
struct Declaration: Equatable {
  let target: String
  let edges: Set<String>
  let excluded: Set<String>
}

/// Reads the targets and their dependencies out of Package.swift as it is written: calls that make a
/// target, lists in brackets, and names that stand for a product or for a list. What it does not understand is an error: a test that
/// skips what it cannot read would hold nothing.
struct Manifest {
  enum Unreadable: Error, Equatable {
    case name(String)
    case list(target: String)
    case word(String)
  }

  /// Without comments.
  private let text: String

  init(_ text: String) {
    self.text = text.split(separator: "\n", omittingEmptySubsequences: false)
      .filter { !$0.drop(while: \.isWhitespace).hasPrefix("//") }.joined(separator: "\n")
  }

  func declarations() throws -> [Declaration] {
    let calls =
      #/\b(?<kind>room|tests|target|executableTarget|testTarget|systemLibrary)\(\s*(?:name:\s*)?"(?<name>[^"]+)"(?<rest>\s*[,)])/#
    return try text.matches(of: calls).map { call in
      let target = String(call.output.name)
      let kind = call.output.kind
      let body = Self.balanced(text[call.output.rest.startIndex...], close: ")")
      var edges: Set<String> = []
      switch kind {
      case "room", "tests": edges = try elements(of: body.drop { $0 == "," || $0.isWhitespace })
      default:
        if let place = body.firstRange(of: "dependencies:") {
          edges = try elements(of: body[place.upperBound...])
        }
      }
      if kind == "tests" { edges.insert("TestSupport") }
      var excluded: Set<String> = []
      if let place = body.firstRange(of: "exclude:") {
        excluded = try elements(of: body[place.upperBound...])
      }
      return Declaration(target: target, edges: edges, excluded: excluded)
    }
  }

  /// A list, or sums of lists and of names of lists, up to the next label.
  private func elements(of expression: Substring) throws -> Set<String> {
    var rest = expression.drop(while: \.isWhitespace)
    var found: Set<String> = []
    while true {
      if rest.first == "[" {
        let inside = Self.balanced(rest.dropFirst(), close: "]")
        for word in inside.split(separator: ",") {
          let word = word.trimmingPrefix(while: \.isWhitespace)
          let last = word.lastIndex { !$0.isWhitespace }
          guard let last else { continue }
          found.formUnion(try element(word[...last]))
        }
        rest = rest[inside.endIndex...].dropFirst()
      } else {
        let word = rest.prefix { $0.isLetter || $0.isNumber }
        guard !word.isEmpty else { throw Unreadable.word(String(rest.prefix(30))) }
        found.formUnion(try list(named: word))
        rest = rest[word.endIndex...]
      }
      rest = rest.drop(while: \.isWhitespace)
      guard rest.first == "+" else { return found }
      rest = rest.dropFirst().drop(while: \.isWhitespace)
    }
  }

  private func element(_ word: Substring) throws -> Set<String> {
    if word.first == "\"" { return [String(word.dropFirst().dropLast())] }
    let product = try Regex(
      #"let \#(word) = Target\.Dependency\.product\(\s*name: "(\w+)""#,
      as: (Substring, Substring).self)
    guard let found = text.firstMatch(of: product) else { throw Unreadable.name(String(word)) }
    return [String(found.output.1)]
  }

  private func list(named word: Substring) throws -> Set<String> {
    let start = try Regex(#"let \#(word)\b[^=\n]*=\s*(?=\[)"#)
    guard let found = text.firstMatch(of: start) else { throw Unreadable.name(String(word)) }
    return try elements(of: text[found.range.upperBound...])
  }

  /// Up to the bracket that closes what is open, without it.
  private static func balanced(_ text: Substring, close: Character) -> Substring {
    var depth = 0
    for place in text.indices {
      switch text[place] {
      case "(", "[": depth += 1
      case ")", "]":
        if depth == 0, text[place] == close { return text[..<place] }
        depth -= 1
      default: break
      }
    }
    return text
  }
}
