internal import Files
internal import Foundation

/// The names and places of blobs below adapters/, and nothing else that may lie there.
///
/// ```
/// adapters/<xx>/<blob>.safetensors            xx: the blob's first two digits
/// adapters/.quarantine/<second>-<blob>.safetensors   moved there at that second since 1970
/// ```
struct BlobFiles: Sendable {
  let root: URL

  private static let ending: String = ".safetensors"

  init(_ home: Home) { root = home.adapters }

  /// adapters/<first two digits>/<blob>.safetensors
  func url(_ blob: String) -> URL {
    shard(String(blob.prefix(2))).appending(path: blob + Self.ending)
  }

  func shard(_ name: String) -> URL { root.appending(path: name, directoryHint: .isDirectory) }

  var quarantine: URL { root.appending(path: ".quarantine", directoryHint: .isDirectory) }

  /// The blob of a file of ours in that shard; nil for any other name.
  static func blob(file: String, shard: String) -> String? {
    guard file.hasSuffix(ending) else { return nil }
    let name = file.dropLast(ending.utf8.count)
    return BlobKey.isValid(name) && name.hasPrefix(shard) ? String(name) : nil
  }

  static func quarantined(_ blob: String, at second: Int) -> String {
    "\(second)-\(blob)\(ending)"
  }

  /// What a file in the quarantine is; nil for any other name.
  static func quarantined(file: String) -> (blob: String, second: Int)? {
    guard file.hasSuffix(ending) else { return nil }
    let parts = file.dropLast(ending.utf8.count).split(separator: "-", maxSplits: 1)
    guard parts.count == 2, let second = Int(parts[0]), second >= 0, BlobKey.isValid(parts[1])
    else {
      return nil
    }
    return (String(parts[1]), second)
  }

  /// Whether any blob is there, quarantined ones too. Stops at the first.
  var holdAny: Bool {
    for shard in Self.shards {
      for file in Self.names(in: self.shard(shard))
      where Self.blob(file: file, shard: shard) != nil { return true }
    }
    return Self.names(in: quarantine).contains { Self.quarantined(file: $0) != nil }
  }

  static let shards: [String] = (UInt8.min...UInt8.max).map { Hexadecimal.text([$0]) }

  static func names(in directory: URL) -> [String] {
    (try? FileManager.default.contentsOfDirectory(atPath: directory.filePath))
      ?? []
  }
}
