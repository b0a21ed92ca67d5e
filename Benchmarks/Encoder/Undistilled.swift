import Model

/// An ordinary checkpoint with the tensors of a skip base beside: its own tables once more. Good
/// enough to time, not to use.
struct Undistilled: TensorSource {
  let base: any TensorSource
  let hidden: Int

  private static let twins = [
    "embeddings.position_embeddings2.weight": "embeddings.position_embeddings.weight",
    "embeddings.token_type_embeddings2.weight": "embeddings.token_type_embeddings.weight",
    "norm.weight": "embeddings.LayerNorm.weight", "norm.bias": "embeddings.LayerNorm.bias",
  ]

  func shape(_ name: String) throws -> [Int] {
    switch name {
    case "attn.weight": [1, hidden]
    case "attn.bias": [1]
    default: try base.shape(Self.twins[name] ?? name)
    }
  }

  func floats(_ name: String) throws -> [Float] {
    switch name {
    case "attn.weight": [Float](repeating: 0, count: hidden)
    case "attn.bias": [0]
    default: try base.floats(Self.twins[name] ?? name)
    }
  }
}
