/// Which products between the tokens of a sequence a student is held to.
package enum Relation: Sendable, CaseIterable {
  /// Queries with keys: attention before its softmax (SkipBERT, ACL 2022).
  case scores
  /// Values with values (MiniLM, 2020).
  case values
}

/// What distillation needs of a device beyond training: the loss between attention relations, which
/// no chain of other operations could give without writing every score down.
package protocol RelationBackend: TrainableBackend {
  /// value += share * sum over sequences, heads and tokens i of the mean over j of (s_ij - t_ij)^2,
  /// where s_ij = x_i . y_j / sqrt(hidden / heads) of the student's columns and t_ij of the targets'.
  /// Its gradient is added to dqkv. qkv, targets and dqkv [R, 3H] states; value fp32 [1, 1] on the
  /// device: nothing is waited for. O(R x longest x H).
  func relationLoss(
    _ qkv: Tensor, targets: Tensor, relation: Relation, sequences: any PlacedSequences,
    heads: Int, share: Double, addingTo dqkv: Tensor, value: Tensor
  ) throws(ComputeError)
}
