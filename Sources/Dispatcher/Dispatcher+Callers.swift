internal import Foundation
internal import Manager
internal import Model

/// What a request brings as a key.
struct SentKey {
  /// `Bearer vb_...`; goes before the other.
  var authorization: String?
  /// As some clients send it.
  var bare: String?
}

extension Dispatcher {
  /// Who asks, and with which key. An open home serves `default`'s vBERTs to everybody, and changes nothing
  /// for anybody; in a closed one, which it is from its first key on, every request needs a key that allows
  /// `scope`, and sees its tenant's vBERTs only, or an operator's all. Throws `APIError.unauthorized`, `.forbidden`.
  func authenticate(
    _ sent: SentKey, for scope: Scope
  ) async throws -> (tenant: TenantRecord, key: KeyRecord?) {
    guard try await registry.isClosed() else {
      guard scope == .predict else { throw APIError.unauthorized(.open) }
      return (openTenant, nil)
    }
    // A key is looked up whatever was sent, so that no answer is quicker than another.
    let (secret, problem) = Self.key(sent)
    guard let holder = try await registry.holder(ofKey: secret ?? ""), secret != nil else {
      throw APIError.unauthorized(problem)
    }
    let key = holder.key
    if key.isExpired(at: .now) { throw APIError.unauthorized(.expired) }
    guard key.scopes.allows(scope) else {
      throw APIError.forbidden(key: key.label.text, has: key.scopes.names, needs: scope.rawValue)
    }
    return (holder.tenant, key)
  }

  /// What is sent as a key, and what is wrong if it is nobody's.
  private static func key(_ sent: SentKey) -> (String?, KeyProblem) {
    guard let header = sent.authorization else {
      return (sent.bare, sent.bare == nil ? .missing : .unknown)
    }
    let parts = header.split(separator: " ", maxSplits: 1)
    guard parts.count == 2, parts[0].lowercased() == "bearer" else { return (nil, .otherScheme) }
    // Spaces may be several (RFC 9110, 11.4).
    return (String(parts[1].drop { $0 == " " }), .unknown)
  }
}
