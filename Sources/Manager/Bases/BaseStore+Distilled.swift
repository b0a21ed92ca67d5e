internal import Crypto
internal import Files
internal import Foundation
package import Model

/// What distillation made of an ordinary base, in a file of its own: all tensors of the skip base but
/// the word embeddings, which it left as they were. With the ordinary base it is a skip base again.
extension BaseStore {
  private static let format: String = "vbert-distilled-2"
  /// Without a hash.
  private static let olderFormat: String = "vbert-distilled-1"
  private static let words: String = "embeddings.word_embeddings.weight"

  /// Writes such a file in bf16. `tensors` holds all but the word embeddings; `notes` is kept with
  /// them, for people. Throws `BaseError.value` for weights that nothing can be computed with, and
  /// what writing throws.
  package static func writeDistilled(
    _ tensors: MemoryTensors, of base: Base, depth: Int, notes: [String: String], to path: String
  ) throws {
    try Base.checkValues(tensors, path: "what was distilled of \(base.name)")
    var metadata = notes
    metadata["skip"] = String(depth)
    metadata["words"] = try wordHash(base)
    try SealedTensors.write(
      tensors.stored(as: .bfloat16), format: format, metadata: metadata, to: path)
  }

  /// Makes a skip base of an ordinary one and a file that `writeDistilled` wrote for it. Its name is
  /// `base`-skipK if none is given. Throws `BaseError`, `SafetensorsError`, `SealError` and what the
  /// disk says; then nothing has appeared.
  package func addDistilled(
    _ path: String, base name: String, depth: Int? = nil, name newName: String?
  ) throws -> BaseRecord {
    guard
      let file = try SealedTensors.open(path, format: Self.format, older: Self.olderFormat),
      let found = file.metadata["skip"].flatMap(Int.init), depth ?? found == found
    else {
      throw BaseError.unsupported(
        path: path,
        what: "not the distilled weights of a skip base"
          + (depth.map { " of depth \($0)" } ?? "") + "; vbert distill --weights makes such a file")
    }
    let base = try loadToSkip(name, depth: found)
    guard file.metadata["words"] == (try Self.wordHash(base)) else {
      throw BaseError.unsupported(
        path: path,
        what: "it was distilled from a base with other word embeddings than \(name)'s")
    }
    let words = try SafetensorsTensor(name: Self.words, copying: Self.words, from: base.weights)
    return try addSkip(
      name: newName ?? "\(name)-skip\(found)", of: base, depth: found,
      tensors: [words]
        + file.names.map { try SafetensorsTensor(name: $0, copying: $0, from: file) },
      distilled: true)
  }

  /// Stores the skip base that `tensors` (all but the word embeddings) make of `base`.
  package func addDistilled(
    _ tensors: MemoryTensors, of base: Base, depth: Int, name: String
  ) throws -> BaseRecord {
    let words = try SafetensorsTensor(name: Self.words, copying: Self.words, from: base.weights)
    return try addSkip(
      name: name, of: base, depth: depth, tensors: [words] + tensors.stored(), distilled: true)
  }

  /// SHA-256 of the word embeddings rounded to bf16: the same for a base in fp32 and in bf16.
  private static func wordHash(_ base: Base) throws -> String {
    let rounded = SafetensorsTensor(
      name: words, shape: try base.weights.shape(words), floats: try base.weights.floats(words),
      type: .bfloat16)
    return Hexadecimal.text(SHA256.hash(data: try rounded.bytes()))
  }
}
