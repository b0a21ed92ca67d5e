/// LayerNorm parameters on the device: y = (x - mean) / sqrt(variance + epsilon) * gamma + beta,
/// biased variance over the columns (Ba 2016).
package struct Normalization: Sendable {
  /// [1, hidden].
  package var gamma: Tensor
  package var beta: Tensor
  package var epsilon: Float

  package init(gamma: Tensor, beta: Tensor, epsilon: Float) {
    self.gamma = gamma
    self.beta = beta
    self.epsilon = epsilon
  }
}

/// Embedding tables on the device: word [vocabulary, hidden], position [positions, hidden], token
/// type [types, hidden]. `word` is nil for the second tables, which are added after the merge.
package struct EmbeddingTables: Sendable {
  package var word: Tensor?
  package var position: Tensor
  package var tokenType: Tensor

  package init(word: Tensor?, position: Tensor, tokenType: Tensor) {
    self.word = word
    self.position = position
    self.tokenType = tokenType
  }
}

/// What a matmul does to each value before it is stored.
package enum Activation: UInt8, Sendable {
  case none
  /// Exact: 0.5 x (1 + erf(x / sqrt 2)).
  case gelu
}

/// How token states become one sequence state.
package enum Pooling: UInt8, Sendable, Hashable, CaseIterable {
  /// The mean over all tokens, [CLS] and [SEP] too.
  case mean
  /// The first token.
  case cls
  /// The mean divided by its L2 norm; zeros stay. Of a tagger's head: every token's state divided by its own.
  case normalizedMean
}
