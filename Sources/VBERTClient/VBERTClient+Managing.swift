public import Foundation

/// A vBERT as the server tells it.
public struct VBert: Decodable, Sendable {
  /// Its name.
  public let id: String
  /// Whose it is.
  public let tenant: String
  /// classify, tag, score or embed.
  public let task: String
  /// The base that it stands on.
  public let base: String
  /// Of the base, where it has learnt one.
  public let domain: String?
  /// Such as lora:32, or none.
  public let adapter: String
  /// mean or cls.
  public let pooling: String
  /// Not in lists.
  public let labels: [String]?
  /// Of its labels, 0 where it has none.
  public let labelCount: Int
  /// Tokens of a text at most.
  public let maxLength: Int
  /// That an embedding may be cut to.
  public let dimensions: [Int]?
  /// The one that answers now.
  public let version: Int?
  /// When it was registered.
  public let createdAt: Date
  /// The oldest first; not in lists.
  public let versions: [Version]?

  /// What one training made.
  public struct Version: Decodable, Sendable {
    /// From 1.
    public let version: Int
    /// Of its parameters.
    public let adapter: String
    /// That its parameters take on disk.
    public let bytes: Int
    /// That it tells apart.
    public let labels: [String]
    /// By name, as training measured them.
    public let metrics: [String: Double]
    /// What training wrote down about itself.
    public let note: String
    /// When it was published.
    public let createdAt: Date

    enum CodingKeys: String, CodingKey {
      case version, adapter, bytes, labels, metrics, note
      case createdAt = "created_at"
    }
  }

  enum CodingKeys: String, CodingKey {
    case id, tenant, task, base, domain, adapter, pooling, labels, dimensions, version, versions
    case labelCount = "label_count"
    case maxLength = "max_length"
    case createdAt = "created_at"
  }
}

/// What a new vBERT is; what is not said is what suits base and task.
public struct NewVBert: Encodable, Sendable {
  /// Inside its tenant.
  public var name: String
  /// classify, tag, score or embed.
  public var task: String
  /// Whose, where it isn't the key's; base, domain, adapter and pooling as in `VBert`.
  public var tenant, base, domain, adapter, pooling: String?
  /// That it is to tell apart; without, those of its rows.
  public var labels: [String]?
  /// Tokens of a text at most.
  public var maxLength: Int?

  /// With what the server chooses for all else.
  public init(name: String, task: String) { (self.name, self.task) = (name, task) }
}

/// A part of a list.
public struct Page<Item: Decodable & Sendable>: Decodable, Sendable {
  /// In the list's order.
  public let data: [Item]
  /// Whether the list goes on behind the last of these.
  public let hasMore: Bool

  enum CodingKeys: String, CodingKey {
    case data
    case hasMore = "has_more"
  }
}

extension VBERTClient {
  private static func path(to vbert: String) -> String { "/v1/vberts/\(part(vbert))" }

  /// Those whose names start with `prefix`, by name, after the one named `after`.
  public func vberts(
    prefix: String = "", tenant: String? = nil, after: String? = nil, limit: Int = 1000
  ) async throws -> Page<VBert> {
    try await get(
      "/v1/vberts",
      [
        ("prefix", prefix.isEmpty ? nil : prefix), ("tenant", tenant), ("after", after),
        ("limit", "\(limit)"),
      ])
  }

  /// With its labels and versions.
  public func vbert(_ name: String) async throws -> VBert { try await get(Self.path(to: name)) }

  /// Registers one; it answers when it is trained.
  public func create(_ new: NewVBert) async throws -> VBert { try await post("/v1/vberts", new) }

  /// Removes it with all its versions.
  public func delete(vbert name: String) async throws {
    let _: Deleted = try await delete(Self.path(to: name))
  }

  /// Lets another of its versions answer.
  public func rollback(_ name: String, to version: Int) async throws -> VBert {
    struct Body: Encodable { let version: Int }
    return try await post(Self.path(to: name) + "/rollback", Body(version: version))
  }

  /// A version, the one that answers now unless its number is given, as a zip archive of what `vbert export` writes;
  /// 256 MB at most.
  public func export(_ name: String, version: Int? = nil) async throws -> [UInt8] {
    try await bytes(
      .init(
        path: Self.path(Self.path(to: name) + "/export", [("version", version.map { "\($0)" })])))
  }

  /// Makes a vBERT of such an archive, under its own name unless another is given.
  public func importArchive(
    _ archive: [UInt8], name: String? = nil, tenant: String? = nil
  ) async throws -> VBert {
    try await send(archive, [("name", name), ("tenant", tenant)])
  }

  /// Publishes such an archive as the next version of a vBERT of the same task, base and domain.
  public func importArchive(_ archive: [UInt8], into vbert: String) async throws -> VBert {
    try await send(archive, [("into", vbert)])
  }

  private func send(_ archive: [UInt8], _ query: [(String, String?)]) async throws -> VBert {
    try await answer(
      .init(
        method: "POST", path: Self.path("/v1/vberts/import", query),
        headers: [("content-type", "application/zip")], body: [.bytes(archive)]))
  }

  /// Makes it another tenant's.
  public func give(_ name: String, to tenant: String) async throws -> VBert {
    struct Body: Encodable { let tenant: String }
    return try await post(Self.path(to: name) + "/give", Body(tenant: tenant))
  }
}
