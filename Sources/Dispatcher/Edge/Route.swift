internal import Foundation
internal import HTTPTypes
internal import Hummingbird
internal import Manager

/// A path and what answers there.
struct Route: Sendable {
  let method: HTTPRequest.Method
  let path: String
  let family: Family
  /// Answers without a key, and says nothing that would need one.
  let isOpen: Bool
  /// What a key must allow.
  let scope: Scope
  let answer: @Sendable (HTTPCall) async throws -> Outcome

  /// HEAD goes wherever GET does.
  var methods: [HTTPRequest.Method] { method == .get ? [.get, .head] : [method] }

  /// Whether the path, in its parts, is one of the route's.
  func matches(_ parts: [Substring]) -> Bool {
    let own = path.split(separator: "/")
    return own.count == parts.count && zip(own, parts).allSatisfy { $0.hasPrefix(":") || $0 == $1 }
  }

  init(
    _ method: HTTPRequest.Method, _ path: String, _ family: Family, isOpen: Bool = false,
    for scope: Scope = .predict,
    _ answer: @escaping @Sendable (HTTPCall) async throws -> Outcome
  ) {
    self.method = method
    self.path = path
    self.family = family
    self.isOpen = isOpen
    self.scope = scope
    self.answer = answer
  }
}

/// One request on its way to a route, as HTTP brings it.
struct HTTPCall: Sendable {
  let request: Hummingbird.Request
  let context: BasicRequestContext
  let caller: Caller
}

extension HTTPCall {
  /// What the path has in the place of `:name`.
  func part(_ name: String) -> String {
    let part = context.parameters.get(name) ?? ""
    return part.removingPercentEncoding ?? part
  }

  /// What the query says under a name.
  func query(_ name: String) -> String? {
    request.uri.queryParameters[Substring(name)].map { String($0) }
  }

  /// What a client that comes back to a stream of events has seen of it.
  var lastEvent: String? {
    HTTPField.Name("Last-Event-ID").flatMap { request.headers[$0] } ?? query("after")
  }

  /// Throws `APIError` for anything but true and false.
  func flag(_ name: String) throws(APIError) -> Bool {
    switch query(name) {
    case nil, "false": false
    case "true": true
    default: throw .invalid("true or false was expected", param: name)
    }
  }
}
