internal import Files
internal import Foundation
package import Model

/// Local layers that a domain has of its own: they compute the rows of the domain's table, beside
/// which they lie. Everything above the merge is the base's.
extension Base {
  private static let domainFormat: String = "vbert-domain-2"
  /// Without a hash.
  private static let olderFormat: String = "vbert-domain-1"
  private static let localSuffix: String = ".local.safetensors"

  private func localFile(of domain: String) -> URL {
    Self.localLayers(of: domain, in: plotDirectory)
  }

  /// Where a domain's own local layers lie, if it has some.
  static func localLayers(of domain: String, in plotDirectory: URL) -> URL {
    plotDirectory.appending(path: domain + Self.localSuffix)
  }

  /// What computes a domain's rows, as the domain's table names it: the base's content hash and, where the
  /// domain has local layers of its own, its name and the hash of their file behind a +. Reads them. Throws
  /// `PLOTError`.
  package func rowsHash(domain: String?) throws(PLOTError) -> String {
    try Self.rowsHash(of: domain, base: record.contentHash, in: plotDirectory)
  }

  static func rowsHash(
    of domain: String?, base: String, in plotDirectory: URL
  ) throws(PLOTError) -> String {
    guard let domain else { return base }
    try PLOTDomain.check(name: domain)
    let url = localLayers(of: domain, in: plotDirectory)
    guard FileKind(url) != .missing else { return base }
    do {
      return try unsafe MappedFile(path: url.filePath).withBytes {
        unsafe "\(base)+\(domain) \(PieceHash.text(of: $0))"
      }
    } catch { throw .file(error) }
  }

  /// The weights that a domain's rows are computed with: the base's, with the domain's local layers
  /// where it has some, which are verified. Throws `PLOTError` for a name that is none and for another
  /// base's layers, `SealError` and `BaseError.value` for damaged ones, and what reading throws.
  package func weights(domain: String?) throws -> any TensorSource {
    guard let domain else { return weights }
    try PLOTDomain.check(name: domain)
    let path = localFile(of: domain).filePath
    guard FileManager.default.fileExists(atPath: path) else { return weights }
    return LayeredTensors(upper: try localLayers(path), lower: weights)
  }

  private func localLayers(_ path: String) throws -> SafetensorsFile {
    guard
      let own = try SealedTensors.open(path, format: Self.domainFormat, older: Self.olderFormat)
    else { throw PLOTError.corrupt(path: path, what: "not a domain's local layers") }
    guard let found = own.metadata["base"], found == record.contentHash else {
      throw PLOTError.otherBase(
        path: path, found: own.metadata["base"] ?? "none", expected: record.contentHash)
    }
    try Self.checkValues(own.names.map { ($0, $0) }, in: own, path: path)
    return own
  }

  /// What is wrong with the files of local layers; empty where nothing is.
  func damagedLocalLayers() -> [String] {
    let files =
      (try? FileManager.default.contentsOfDirectory(atPath: plotDirectory.filePath)) ?? []
    return files.filter { $0.hasSuffix(Self.localSuffix) }.sorted().compactMap { name in
      do {
        _ = try localLayers(plotDirectory.appending(path: name).filePath)
        return nil
      } catch is SealError {
        return "plot/\(name) (has other bytes)"
      } catch {
        return "plot/\(name) (\(error))"
      }
    }
  }

  /// Keeps a domain's local layers, in the place of older ones; whole or not at all. The domain's
  /// table must be built anew. Throws `BaseError.value` for layers that nothing can be computed with.
  package func write(_ tensors: MemoryTensors, domain: String) throws {
    try PLOTDomain.check(name: domain)
    try Self.checkValues(tensors, path: "what was learnt for \(domain)")
    try PLOTBuild.prepare(plotDirectory)
    try SealedTensors.write(
      tensors.stored(), format: Self.domainFormat, metadata: ["base": record.contentHash],
      to: localFile(of: domain).filePath)
  }
}
