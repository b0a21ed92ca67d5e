internal import Files
internal import Foundation
package import Model

/// Local layers that a domain has of its own: they compute the rows of the domain's table, beside
/// which they lie. Everything above the merge is the base's.
extension Base {
  private static let domainFormat: String = "vbert-domain-1"

  private func localFile(of domain: String) -> URL {
    plotDirectory.appending(path: "\(domain).local.safetensors")
  }

  /// The weights that a domain's rows are computed with: the base's, with the domain's local layers
  /// where it has some. Throws `PLOTError` for a name that is none and for another base's layers, and
  /// what reading throws.
  package func weights(domain: String?) throws -> any TensorSource {
    guard let domain else { return weights }
    try PLOTDomain.check(name: domain)
    let path = localFile(of: domain).filePath
    guard FileManager.default.fileExists(atPath: path) else { return weights }
    let own = try SafetensorsFile(path: path)
    guard own.metadata["format"] == Self.domainFormat else {
      throw PLOTError.corrupt(path: path, what: "not a domain's local layers")
    }
    guard let found = own.metadata["base"], found == record.contentHash else {
      throw PLOTError.otherBase(
        path: path, found: own.metadata["base"] ?? "none", expected: record.contentHash)
    }
    return OverlaidTensors(own: own, under: weights)
  }

  /// Keeps a domain's local layers, in the place of older ones; whole or not at all. The domain's
  /// table must be built anew.
  package func write(_ tensors: MemoryTensors, domain: String) throws {
    try PLOTDomain.check(name: domain)
    try PLOTBuild.prepare(plotDirectory)
    try SafetensorsWriter.write(
      try tensors.names.map {
        SafetensorsTensor(
          name: $0, shape: try tensors.shape($0), floats: try tensors.floats($0))
      }, metadata: ["format": Self.domainFormat, "base": record.contentHash],
      to: localFile(of: domain).filePath)
  }
}

/// Tensors of one source, and of another where that one has none.
struct OverlaidTensors: TensorSource, Sendable {
  let own: SafetensorsFile
  let under: SafetensorsFile

  private func source(_ name: String) -> SafetensorsFile { own.contains(name) ? own : under }

  func shape(_ name: String) throws -> [Int] { try source(name).shape(name) }
  func floats(_ name: String) throws -> [Float] { try source(name).floats(name) }
}
