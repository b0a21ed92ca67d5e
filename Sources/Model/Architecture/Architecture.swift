package import Compute

/// What sets one family of encoders apart from another, beyond sizes: one value that inference,
/// training, import and tokenisation all read. Adding a family is adding a value here, and where it
/// needs one, a kernel.
package struct Architecture: Sendable, Hashable {
  /// As config.json's `model_type` has it.
  package let name: String
  /// How config.json's `architectures` begin: "BertForMaskedLM".
  let classPrefix: String
  package let norms: NormPlacement
  package let activation: Activation
  /// Rows of the position tables before that of a sequence's first token. (MPNet counts from behind
  /// the padding's id.)
  package let positionOffset: Int
  /// Whether attention's scores have a bias by the distance of key and query.
  package var relativeBias: RelativeBias?
  /// Whether a token's segment has an embedding.
  package let hasTokenTypes: Bool
  package let special: SpecialTokens
  package let tensorNames: TensorNames
  let fields: ConfigurationFields

  /// Where LayerNorm stands: `post`, behind each half's residual (Devlin 2018).
  package enum NormPlacement: Sendable, Hashable { case post }

  package static let bert = Architecture(
    name: "bert", classPrefix: "Bert", norms: .post, activation: .gelu, positionOffset: 0,
    relativeBias: nil, hasTokenTypes: true, special: .bert, tensorNames: .bert, fields: .bert)

  /// Song 2020: BERT's layers, with one table of relative position biases that all layers share.
  package static let mpnet = Architecture(
    name: "mpnet", classPrefix: "MPNet", norms: .post, activation: .gelu, positionOffset: 2,
    relativeBias: RelativeBias(buckets: 32, farthest: 128), hasTokenTypes: false, special: .mpnet,
    tensorNames: .mpnet, fields: .bert)

  /// Sanh 2019: BERT without segments, under other names.
  package static let distilBert = Architecture(
    name: "distilbert", classPrefix: "DistilBert", norms: .post, activation: .gelu,
    positionOffset: 0, relativeBias: nil, hasTokenTypes: false, special: .bert,
    tensorNames: .distilBert, fields: .distilBert)

  package static let all: [Architecture] = [bert, mpnet, distilBert]

  /// By config.json's `model_type`; SkipBERT's checkpoints are BERTs.
  static func named(_ type: String) -> Architecture? {
    all.first { $0.name == type } ?? (type == "skipbert" ? bert : nil)
  }

  /// By the name of the class that wrote a checkpoint.
  static func writing(_ className: String) -> Architecture? {
    // Not `BertGeneration...` or the like, whose encoders are others.
    let kinds = ["Model", "For", "LMHeadModel", "PreTrainedModel"]
    if className.hasPrefix("SkipBert") { return bert }
    return all.first { family in
      className.hasPrefix(family.classPrefix)
        && kinds.contains { className.dropFirst(family.classPrefix.count).hasPrefix($0) }
    }
  }
}
