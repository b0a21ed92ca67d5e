import Foundation
import HTTPTypes
import TestSupport
import Testing

@testable import Dispatcher

/// docs/openapi.yaml and the routes: neither has what the other lacks.
@Suite struct OpenAPITests {
  private struct Operation: Hashable, CustomStringConvertible {
    var method: String
    var path: String
    var description: String { "\(method) \(path)" }
  }

  /// Reads the two levels of YAML that matter: paths at two spaces, methods at four.
  private func documented() throws -> Set<Operation> {
    let url = Resources.packageRoot.appending(path: "docs/openapi.yaml")
    var operations: Set<Operation> = []
    var isInPaths = false
    var path = ""
    for line in try String(contentsOf: url, encoding: .utf8).split(separator: "\n") {
      if !line.hasPrefix(" ") { isInPaths = line == "paths:" }
      guard isInPaths, line.hasSuffix(":") || line.hasPrefix("    $ref: ") else { continue }
      let indent = line.prefix { $0 == " " }.count
      let key = String(line.dropFirst(indent).dropLast())
      if indent == 2 { path = key }
      if indent == 4, key.hasPrefix("$ref"), let same = Self.reference(line) {
        // Another path's operations, all of them.
        let copied = operations.filter { $0.path == same }
        #expect(!copied.isEmpty, "\(path) points to \(same), which is not above it")
        operations.formUnion(copied.map { Operation(method: $0.method, path: path) })
      }
      if indent == 4, ["get", "post", "delete", "put", "patch"].contains(key) {
        operations.insert(Operation(method: key, path: path))
      }
    }
    return operations
  }

  /// The path that `$ref: "#/paths/~1v1~1embeddings"` points to.
  private static func reference(_ line: Substring) -> String? {
    line.firstMatch(of: /"#\/paths\/([^"]+)"/).map { String($0.1).replacing("~1", with: "/") }
  }

  @Test func theDocumentAndTheRoutesAgree() async throws {
    let routed = try await TinyServer().dispatcher.routes.map { route in
      let path = route.path.split(separator: "/", omittingEmptySubsequences: false).map {
        $0.hasPrefix(":") ? "{\($0.dropFirst())}" : String($0)
      }
      return Operation(
        method: route.method.rawValue.lowercased(), path: path.joined(separator: "/"))
    }
    let documented = try documented()
    #expect(Set(routed).count == routed.count)
    #expect(documented.subtracting(routed).isEmpty)
    #expect(Set(routed).subtracting(documented).isEmpty)
  }

  /// The document's lines below a key at this indentation, up to the next one there or further left.
  private static func block(_ key: String, indent: Int, in lines: [Substring]) -> [Substring] {
    func depth(_ line: Substring) -> Int { line.prefix { $0 == " " }.count }
    guard
      let start = lines.firstIndex(where: {
        depth($0) == indent && $0.dropFirst(indent) == "\(key):"
      })
    else { return [] }
    return Array(lines[(start + 1)...].prefix { depth($0) > indent })
  }

  /// Names at this indentation, each with what is written to it.
  private static func entries(_ lines: [Substring], indent: Int) -> [String: String] {
    var entries: [String: String] = [:]
    var name = ""
    for line in lines {
      let text = line.drop { $0 == " " }
      if line.count - text.count == indent, let colon = text.firstIndex(of: ":") {
        name = String(text[..<colon])
        entries[name] = String(text[text.index(after: colon)...])
      } else if line.count - text.count > indent {
        entries[name, default: ""] += " \(text)"
      }
    }
    return entries
  }

  private static func lines() throws -> [Substring] {
    let url = Resources.packageRoot.appending(path: "docs/openapi.yaml")
    return try String(contentsOf: url, encoding: .utf8).split(separator: "\n")
  }

  private static func schema(_ name: String, _ lines: [Substring]) -> [String: String] {
    let schema = block(name, indent: 4, in: block("schemas", indent: 2, in: lines))
    return entries(block("properties", indent: 6, in: schema), indent: 8)
  }

  /// Every member that a route honours, with a meaning, and no other.
  @Test func everyMemberOfEveryRouteIsListed() throws {
    let lines = try Self.lines()
    let honoured = Set(Dialect.all.flatMap(\.honoured))
    for dialect in Dialect.all {
      let route = Self.block(dialect.path, indent: 2, in: lines)
      let body = Self.block("requestBody", indent: 6, in: route)
      var listed = Self.entries(Self.block("properties", indent: 18, in: body), indent: 20)
      let parts = body.compactMap { $0.firstMatch(of: /^ {16}- \$ref: .*\/(\w+)"/) }
        .map { String($0.1) }
      #expect(parts.contains("Named") && parts.contains("Others"), "\(dialect.path)")
      for part in parts where part != "Others" {
        listed.merge(Self.schema(part, lines)) { one, _ in
          Issue.record("\(dialect.path) has a member twice: \(one)")
          return one
        }
      }
      // What other routes honour and this one takes with the value that it means anyway.
      let neutral = Dialect.others.keys.filter {
        honoured.contains($0) && !dialect.honoured.contains($0)
      }
      let expected =
        dialect.inputs + dialect.honoured + Dialect.names + neutral + ["parameters", "options"]
      #expect(listed.keys.sorted() == expected.sorted(), "\(dialect.path)")
      #expect(body.contains { $0 == "              unevaluatedProperties: false" })
      for (name, text) in listed where !dialect.inputs.contains(name) {
        #expect(text.contains("description: ") || text.contains("$ref"), "\(dialect.path) \(name)")
      }
    }
  }

  /// What no route honours stands there with what becomes of it.
  @Test func otherMembersAreListedWithTheirMeaning() throws {
    let listed = Self.schema("Others", try Self.lines())
    let honoured = Set(Dialect.all.flatMap(\.honoured))
    let expected = Dialect.others.filter { !honoured.contains($0.key) }
    #expect(listed.keys.sorted() == expected.keys.sorted())
    for (name, meaning) in expected {
      let text = try #require(listed[name])
      switch meaning {
      case .harmless: #expect(text == " { description: Let be. }", "\(name)")
      case .only(_, let why): #expect(text.contains("enum: [") && text.hasSuffix(why), "\(name)")
      case .refused(let why):
        #expect(text.contains(#"type: "null""#) && text.hasSuffix("Refused: \(why)"), "\(name)")
      }
    }
  }
}
