internal import Foundation
internal import Manager
internal import Model

/// POST /v1/keys.
struct NewKeyBody: ManagementBody {
  enum CodingKeys: String, CodingKey, CaseIterable {
    case label, scopes, tenant, vbert
    case expiresIn = "expires_in"
  }

  let label: Name
  var scopes: [String]?
  /// Seconds from now; without it the key is worth something for ever.
  var expiresIn: Int?
  var tenant: String?
  /// Whom the key asks where a request names nobody.
  var vbert: String?
}

/// POST /v1/keys/{label}/rotate.
struct RotateKeyBody: ManagementBody {
  enum CodingKeys: String, CodingKey, CaseIterable {
    case tenant
    case keepOld = "keep_old"
  }

  /// Seconds that the old key is still worth something.
  var keepOld: Int?
  var tenant: String?

  static let usual = 3600
}

extension Dispatcher {
  /// A century: what is longer is a mistake.
  private static var longest: Int { 100 * 366 * 86_400 }

  func keys(_ page: ModelsQuery, _ asked: String?, _ caller: Caller) async throws -> Outcome {
    let tenant = try caller.tenant(asked: asked)
    return try await managing(caller) {
      _ = try await registry.tenant(named: tenant)
      let found = try await registry.keys(of: tenant, after: page.after, limit: page.limit + 1)
      let data = found.prefix(page.limit).map { KeyAnswer($0) }
      return try Outcome(encoding: Page(data: data, hasMore: found.count > page.limit))
    }
  }

  /// Nobody gives what he has not: a key's scopes are its maker's or fewer, which the registry sees to.
  func createKey(_ body: NewKeyBody, _ caller: Caller) async throws -> Outcome {
    let tenant = try caller.tenant(asked: body.tenant)
    let scopes: Scopes
    do {
      scopes = try body.scopes.map { try Scopes($0.joined(separator: ",")) } ?? .standard
    } catch { throw APIError.invalid("\(error)", param: "scopes") }
    if let seconds = body.expiresIn, !(1...Self.longest).contains(seconds) {
      throw APIError.invalid("seconds from 1 to \(Self.longest) were expected", param: "expires_in")
    }
    let expires = body.expiresIn.map { Date.now.addingTimeInterval(Double($0)) }
    let vbert: VBertName?
    do { vbert = try body.vbert.map { try VBertName($0, of: tenant) } } catch {
      throw APIError.unknownModel(clipped(body.vbert ?? ""))
    }
    return try await managing(caller) {
      let new = try await registry.createKey(
        body.label, tenant: tenant, scopes: scopes, expires: expires, vbert: vbert)
      return try Outcome(encoding: KeyAnswer(new.record, secret: new.secret))
    }
  }

  func revokeKey(_ label: String, _ asked: String?, _ caller: Caller) async throws -> Outcome {
    let (tenant, name) = (try caller.tenant(asked: asked), try keyLabel(label))
    return try await managing(caller) {
      try await registry.revokeKey(name, tenant: tenant)
      return try Outcome(encoding: Deleted(id: name.text, object: "key"))
    }
  }

  func rotateKey(_ label: String, _ body: RotateKeyBody, _ caller: Caller) async throws -> Outcome {
    let (tenant, name) = (try caller.tenant(asked: body.tenant), try keyLabel(label))
    let seconds = body.keepOld ?? RotateKeyBody.usual
    guard 0...Self.longest ~= seconds else {
      throw APIError.invalid("seconds from 0 to \(Self.longest) were expected", param: "keep_old")
    }
    return try await managing(caller) {
      let new = try await registry.rotateKey(
        name, tenant: tenant, oldUntil: .now.addingTimeInterval(Double(seconds)))
      return try Outcome(encoding: KeyAnswer(new.record, secret: new.secret))
    }
  }

  /// What cannot be a label is nobody's.
  private func keyLabel(_ text: String) throws(APIError) -> Name {
    guard let name = try? Name(text) else {
      throw .notFound(RegistryError.noKey(label: text).description)
    }
    return name
  }
}

/// A key as it is told; the secret of a new one alone.
private struct KeyAnswer: Encodable {
  let object = "key"
  let id: String
  let tenant: String
  let scopes: [String]
  let createdAt: Date
  let expiresAt: Date?
  let lastUsedAt: Date?
  let vbert: String?
  let key: String?

  init(_ record: KeyRecord, secret: String? = nil) {
    (id, tenant, scopes) = (record.label.text, record.tenant.text, record.scopes.names)
    (createdAt, expiresAt, lastUsedAt) = (record.created, record.expires, record.used)
    vbert = record.vbert?.text(for: record.tenant)
    key = secret
  }
}
