internal import Manager

extension Dispatcher {
  /// Who asks. An open home serves `default`'s vBERTs to everybody; in a closed one, which it is from
  /// its first key on, every request needs a key, and sees its tenant's vBERTs only.
  func authenticate(_ authorization: String?) async throws -> TenantRecord {
    guard try await registry.isClosed() else { return openTenant }
    // A key is looked up whatever was sent, so that no answer is quicker than another.
    let (key, problem) = Self.key(authorization)
    guard let tenant = try await registry.tenant(forKey: key ?? ""), key != nil else {
      throw APIError.unauthorized(problem)
    }
    return tenant
  }

  /// What is sent as a key, and what is wrong if it is nobody's.
  private static func key(_ header: String?) -> (String?, KeyProblem) {
    guard let header else { return (nil, .missing) }
    let parts = header.split(separator: " ", maxSplits: 1)
    guard parts.count == 2, parts[0].lowercased() == "bearer" else { return (nil, .otherScheme) }
    // Spaces may be several (RFC 9110, 11.4).
    return (String(parts[1].drop { $0 == " " }), .unknown)
  }
}
