internal import Foundation
package import Model

/// All tensors of an undistilled skip base. Those in which it differs from its dense one are chosen so
/// that the merged states come as near to the dense model's layer-k states as is possible without data.
///
/// - The norm after the merge is the one that ends layer k - 1: the upper layers were trained on
///   states with its per-channel scale.
/// - The gate is the same everywhere (weight 0) and lets a third through, so that the merged state is
///   the mean of the three views of a token: in proportion to the second position table.
/// - The second position table is the base's; the second token types are zero, as the local layers
///   have added type 0.
/// - The local positions (rows 0..2 of position_embeddings) are the base's rows from `localPosition`
///   on. Row 0 belongs to [CLS] alone in training: a token that stands there is taken for one, and
///   every token stands left once.
///
/// Against rows 0..2 the cosine of the last hidden state to the dense model's rises from 0.18 to 0.67
/// (MiniLM-L6, k = 2) and from 0.48 to 0.58 (k = 3).
package struct SkipStart: TensorSource {
  /// What the sigmoid gives for every n-gram slot.
  static let gate = 1.0 / 3
  /// The base's position that the left token of an n-gram gets.
  static let localPosition = 1

  let tensors: [String: (shape: [Int], values: [Float])]
  private let weights: any TensorSource

  package func shape(_ name: String) throws -> [Int] {
    try tensors[name]?.shape ?? weights.shape(name)
  }

  package func floats(_ name: String) throws -> [Float] {
    try tensors[name]?.values ?? weights.floats(name)
  }

  /// Throws what reading the dense base's tensors throws.
  package init(
    _ weights: any TensorSource, _ configuration: Configuration, depth: Int
  ) throws {
    self.weights = weights
    let hidden = configuration.hiddenSize
    let positions = "embeddings.position_embeddings.weight"
    let table = try weights.floats(positions)
    let norm = "encoder.layer.\(depth - 1).output.LayerNorm"
    var local = table
    // A table of three rows or fewer has none to spare.
    let first = min(Self.localPosition, max(0, configuration.maxPositions - 3))
    let rows = min(3, configuration.maxPositions)
    let start = configuration.architecture.positionOffset
    local.replaceSubrange(
      start * hidden..<(start + rows) * hidden,
      with: table[(start + first) * hidden..<(start + first + rows) * hidden])
    let shape = [configuration.positionRows, hidden]
    var tensors: [String: (shape: [Int], values: [Float])] = [
      positions: (shape, local),
      "embeddings.position_embeddings2.weight": (shape, table),
      "norm.weight": ([hidden], try weights.floats(norm + ".weight")),
      "norm.bias": ([hidden], try weights.floats(norm + ".bias")),
      "attn.weight": ([1, hidden], [Float](repeating: 0, count: hidden)),
      "attn.bias": ([1], [Float(log(Self.gate / (1 - Self.gate)))]),
    ]
    let types = configuration.tokenTypes
    if types > 0 {
      tensors["embeddings.token_type_embeddings2.weight"] = (
        [types, hidden], [Float](repeating: 0, count: types * hidden)
      )
    }
    self.tensors = tensors
  }
}
