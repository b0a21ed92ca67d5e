internal import Files
internal import Foundation

/// Which home a registry and a folder of blobs belong to: a random identity that both carry, so that
/// neither is taken for the other's. Blobs are collected on the registry's word, so the word of a
/// registry that is new, emptied or another home's must not count.
enum HomeIdentity {
  /// Beside the shards, in adapters/.
  static let markerName: String = ".vbert-home"
  private static let format: String = "vbert-home-1"

  static func make() -> String { UUID().uuidString.lowercased() }

  private struct Marker: Codable {
    var format: String
    var home: String
  }

  /// The identity that the folder carries; nil where it carries none. Throws
  /// `RegistryError.unreadableMarker`.
  static func marker(in adapters: URL) throws(RegistryError) -> String? {
    let path = adapters.appending(path: markerName).filePath
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    guard let bytes = FileManager.default.contents(atPath: path), bytes.count < 4096,
      let marker = try? JSONDecoder().decode(Marker.self, from: bytes), marker.format == format
    else { throw .unreadableMarker(path: path) }
    return marker.home
  }

  /// Marks the folder, whole or not at all. Throws what the disk says.
  static func mark(_ adapters: URL, as home: String) throws {
    let text = try JSONText.encode(Marker(format: format, home: home))
    try AtomicFile.write(
      [UInt8](text.utf8), to: adapters.appending(path: markerName).filePath)
  }

  /// What is to be done about a registry and a folder.
  enum Verdict: Equatable {
    /// Both go under this identity.
    case adopt(String)
    /// The registry is empty or new, and the folder holds somebody's blobs.
    case lost
    case foreign(registry: String?, folder: String)
    /// The folder has no mark, and this registry knows none of its blobs.
    case unknown
  }

  /// What is seen of the two; a value, so that every mix can be tried.
  struct Sight {
    /// The registry's identity; nil before it has one.
    var registry: String?
    /// The folder's.
    var folder: String?
    /// The registry has no table yet, or there is no file.
    var registryIsNew: Bool
    /// The folder holds blobs, or quarantined ones.
    var holdsBlobs: Bool
    /// One of them at least is named by the registry.
    var knowsOne: Bool
  }

  /// `fresh` is the identity that a registry without one is given.
  static func judge(_ seen: Sight, fresh: String) -> Verdict {
    if let folder = seen.folder, folder == seen.registry { return .adopt(folder) }
    // Nothing can be lost: the folder becomes the registry's.
    if !seen.holdsBlobs { return .adopt(seen.registry ?? fresh) }
    if seen.registryIsNew { return .lost }
    if let folder = seen.folder { return .foreign(registry: seen.registry, folder: folder) }
    // Made before homes had identities, or brought back from a backup without the mark.
    return seen.knowsOne ? .adopt(seen.registry ?? fresh) : .unknown
  }
}
