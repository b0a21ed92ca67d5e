package import Compute
internal import Manager
package import Model

/// A row's outputs are not numbers.
package struct NotFinite: Error, CustomStringConvertible {
  /// Counts from 0.
  package let row: Int

  package var description: String {
    "the result for row \(row + 1) is not a number: the vBERT's parameters, its base or its table hold "
      + "values that cannot be computed with; train it again, or verify the base"
  }
}

/// One vBERT's outputs for many rows, on the encoder directly: what `eval` and `predict` use.
package final class Predictor {
  package let spec: VBertSpec
  private let upper: UpperEncoder
  private let lookup: RowLookup?
  /// nil for an embedder without adapter.
  private let adapter: (any ResidentAdapter)?

  /// A skip base needs `lookup`. Throws what the backend throws.
  package init(
    spec: VBertSpec, adapter: HostAdapter, base: BaseModel, lookup: RowLookup?,
    backend: any Backend, tokenBudget: Int = 2048
  ) throws {
    precondition(lookup != nil || !base.configuration.isSkip)
    self.spec = spec
    self.lookup = lookup
    self.adapter = spec.hasParameters ? try backend.load(adapter) : nil
    let budget = max(tokenBudget, spec.maxLength)
    let outputs = spec.task.outputs(labels: spec.labels.count)
    upper = try UpperEncoder(
      base: base, backend: backend, tokenBudget: budget,
      extraBytes: Workspace.bytes(rows: budget, columns: base.configuration.hiddenSize)
        + Workspace.bytes(rows: budget, columns: outputs))
  }

  /// Of every row the head's outputs (for tag: those of all its tokens), or the pooled state for
  /// embed. `report` hears how many rows are done. Throws `NotFinite`, and what the backend throws.
  package func outputs(
    _ sequences: [TokenSequence], report: (Int) -> Void = { _ in }
  ) throws -> [[Float]] {
    let lengths = sequences.map(\.count)
    var rows: [[Float]] = []
    for part in Batches.pack(Array(lengths.indices), lengths: lengths, budget: upper.tokenBudget) {
      let batch = PackedBatch(sequences: part.map { sequences[$0] })
      let out = try outputs(batch)
      let values = try upper.backend.download(out)
      for place in part.indices {
        let range = spec.task == .tag ? batch.layout.rows(of: place) : place..<place + 1
        let row = values[range.lowerBound * out.columns..<range.upperBound * out.columns]
        guard row.allSatisfy(\.isFinite) else { throw NotFinite(row: part[place]) }
        rows.append(Array(row))
      }
      report(rows.count)
    }
    return rows
  }

  private func outputs(_ batch: PackedBatch) throws -> Tensor {
    let backend = upper.backend
    let found = try lookup?(batch.grams)
    let sequences = try backend.place(batch.layout)
    let groups = try backend.place([RowGroup(rows: 0..<batch.layout.rows, adapter: adapter)])
    let single = try backend.place([RowGroup(rows: 0..<batch.layout.count, adapter: adapter)])
    let features: Tensor
    if spec.readsFirstRowAlone {
      features = try upper.firstStates(
        of: batch, rows: found?.rows, sequences: sequences, groups: groups, firstGroups: single)
    } else {
      let states = try upper.states(
        of: batch, rows: found?.rows, sequences: sequences, groups: groups)
      features = try spec.task == .tag ? words(states) : pooled(states, sequences)
    }
    withExtendedLifetime(found?.owner) {}
    let headGroups = spec.task == .tag ? groups : single
    let labels = spec.task.outputs(labels: spec.labels.count)
    guard labels > 0 else { return features }
    // Sums end in fp32 on every device: in bf16 close labels would tie.
    let out = upper.workspace.take(rows: features.rows, columns: labels)
    try backend.applyHeads(features, groups: headGroups, into: out)
    return out
  }

  /// What a tagger's head reads.
  private func words(_ states: Tensor) throws -> Tensor {
    guard spec.pooling == .normalizedMean else { return states }
    let features = upper.workspace.take(rows: states.rows, columns: states.columns)
    try upper.backend.divideByNorms(states, into: features)
    return features
  }

  private func pooled(_ states: Tensor, _ sequences: any PlacedSequences) throws -> Tensor {
    let features = upper.workspace.take(rows: sequences.layout.count, columns: states.columns)
    try upper.backend.pool(states, sequences: sequences, pooling: spec.pooling, into: features)
    return features
  }
}
