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
      guard isInPaths, line.hasSuffix(":") else { continue }
      let indent = line.prefix { $0 == " " }.count
      let key = String(line.dropFirst(indent).dropLast())
      if indent == 2 { path = key }
      if indent == 4, ["get", "post", "delete", "put", "patch"].contains(key) {
        operations.insert(Operation(method: key, path: path))
      }
    }
    return operations
  }

  @Test func theDocumentAndTheRoutesAgree() throws {
    let routed = try TinyServer().dispatcher.routes.map { route in
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
}
