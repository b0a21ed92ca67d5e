internal import Manager
internal import Model

/// A name of a vBERT, and which part of a request says it.
struct Naming: Sendable, Equatable {
  enum Place: String, Sendable {
    case path = "the path"
    case query = "the query"
    case body = "the body"
  }

  let place: Place
  let name: String
}

extension Naming {
  /// Who is asked by a request that says these, in the words of the first: they all must mean the same vBERT and the
  /// same version of it. nil where nobody is named. Throws `APIError.refused`: of two names one would count silently.
  static func agreed(_ namings: [Naming], of tenant: Name) throws(APIError) -> String? {
    guard let first = namings.first else { return nil }
    for other in namings.dropFirst() where !first.means(other, of: tenant) {
      throw .refused(
        "\(first.place.rawValue) names \(clipped(first.name)), and \(other.place.rawValue) \(clipped(other.name)): "
          + "name one vBERT. A client that cannot leave out \"model\" sends the same name",
        param: "model")
    }
    return first.name
  }

  private func means(_ other: Naming, of tenant: Name) -> Bool {
    if name == other.name { return true }
    guard let own = try? VBertAddress(name, of: tenant),
      let others = try? VBertAddress(other.name, of: tenant)
    else { return false }
    return own == others
  }
}

extension Caller {
  /// Who is asked: as the request says it, or else as the key does. Throws `APIError.refused`.
  func vbertName(_ namings: [Naming]) throws(APIError) -> String? {
    try Naming.agreed(namings, of: tenant.name) ?? key?.vbert?.text(for: tenant.name)
  }
}
