internal import Foundation
internal import Hummingbird

extension HTTPCall {
  /// The part of a path that names a vBERT in front of a route, `/m/:vbert/embed`.
  static let prefix: String = "/m/:vbert"

  /// The vBERTs that the path and the query name, whoever the body does.
  var namings: [Naming] {
    let inPath =
      context.parameters.get("vbert").map {
        [Naming(place: .path, name: $0.removingPercentEncoding ?? $0)]
      } ?? []
    let query = request.uri.queryParameters
    let inQuery = ["model", "adapter_id"].flatMap { query[values: Substring($0)] }
    return inPath + inQuery.map { Naming(place: .query, name: String($0)) }
  }

  /// Who is asked, where the path also names this one behind the route. Throws `APIError.refused`.
  func vbertName(inPath name: String) throws(APIError) -> String {
    try caller.vbertName(namings + [Naming(place: .path, name: name)]) ?? name
  }

  /// Who is asked, where the body names this one or nobody. Throws `APIError.refused`.
  func vbertName(inBody name: String? = nil) throws(APIError) -> String? {
    let inBody = name.map { [Naming(place: .body, name: $0)] } ?? []
    return try caller.vbertName(namings + inBody)
  }
}
