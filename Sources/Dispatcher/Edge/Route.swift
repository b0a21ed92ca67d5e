internal import HTTPTypes
internal import Hummingbird

/// A path and what answers there.
struct Route: Sendable {
  let method: HTTPRequest.Method
  let path: String
  let family: Family
  /// Answers without a key, and says nothing that would need one.
  let isOpen: Bool
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
    _ answer: @escaping @Sendable (HTTPCall) async throws -> Outcome
  ) {
    self.method = method
    self.path = path
    self.family = family
    self.isOpen = isOpen
    self.answer = answer
  }
}

/// One request on its way to a route, as HTTP brings it.
struct HTTPCall: Sendable {
  let request: Hummingbird.Request
  let context: BasicRequestContext
  let caller: Caller
}
