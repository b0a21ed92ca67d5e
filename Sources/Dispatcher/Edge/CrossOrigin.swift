internal import HTTPTypes
internal import Hummingbird

/// Which pages of other sites may read our answers in a browser (CORS, https://fetch.spec.whatwg.org). A browser says
/// where a page comes from, asks before what is not plain, and hides an answer that does not allow it.
struct CrossOrigin: Sendable {
  /// `*` for all.
  let origins: [String]

  /// Whether nobody was allowed: answers say nothing then.
  var isOff: Bool { origins.isEmpty }

  /// What an answer to a page of this origin says.
  func fields(for origin: String?) -> HTTPFields {
    var fields = HTTPFields()
    let isAny = origins.contains("*")
    // A cache must not give one site's answer to another.
    if !isAny { fields[.vary] = "Origin" }
    guard let origin, isAny || origins.contains(origin) else { return fields }
    fields[.accessControlAllowOrigin] = isAny ? "*" : origin
    fields[.accessControlExposeHeaders] = "*"
    return fields
  }

  /// What is told a browser that asks first. `headers`: those that the page wants to send; they decide nothing here.
  func preflight(methods: String, headers: String?) -> HTTPFields {
    var fields = HTTPFields()
    fields[.accessControlAllowMethods] = methods
    fields[.accessControlAllowHeaders] = headers ?? "Authorization, Content-Type"
    fields[.accessControlMaxAge] = "600"
    return fields
  }
}
