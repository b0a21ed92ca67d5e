internal import Compute
internal import Manager
internal import Model

/// A batch that only has to be computed: one part for each base in it.
struct PreparedBatch: Sendable {
  /// Counts up from 1.
  let number: Int
  let closed: ContinuousClock.Instant
  let parts: [BatchPart]
  /// What could not be prepared; its sequences are answered.
  let failures: [BatchFailure]
}

/// Sequences of a batch that got an error.
struct BatchFailure: Sendable {
  /// Where they failed.
  enum Stage: String, Sendable, CaseIterable {
    /// A vBERT's parameters, or the base it is for: its own failure, unless everybody shares it.
    case adapter
    /// N-gram rows.
    case lookup
    /// Encoder and heads.
    case compute
    /// Outputs that are not finite: a vBERT's own failure, unless everybody shares it.
    case result
    /// A stage did not give a batch back.
    case hung
    /// The server's own question.
    case probe
  }
  let stage: Stage
  let sequences: Int
  let why: String
  /// Whose parameters failed, or who was in the part that did.
  var vberts: [PinnedVBert] = []
}

/// The sequences of one base, those of one vBERT side by side, so that each is one segment to the
/// grouped operations. Sequences whose heads read tokens come last.
struct BatchPart: Sendable {
  /// Neighbouring sequences of one vBERT.
  struct Run: Sendable {
    let vbert: PinnedVBert
    /// nil for the base itself.
    let adapter: (any ResidentAdapter)?
    let sequences: Range<Int>
  }

  let base: ServedBase
  /// The base on the lane that computes the batch.
  let engine: Engine
  /// One a sequence.
  let works: [Work]
  let runs: [Run]
  let packed: PackedBatch
  /// nil for a dense base. Keeps the rows where they are until the batch has run.
  let rows: PLOTRows?
  /// What it took to fetch all this.
  let took: Duration

  /// As `BatchSpeed` counts them.
  var units: Double { works.reduce(BatchSpeed.batchUnits) { $0 + $1.units } }

  /// Whether nothing but the first state of every sequence is asked for.
  var readsFirstRowsAlone: Bool {
    runs.allSatisfy { $0.vbert.spec.readsFirstRowAlone }
  }

  /// Token rows of a run.
  func rows(of run: Run) -> Range<Int> {
    let offsets = packed.layout.offsets
    return Int(offsets[run.sequences.lowerBound])..<Int(offsets[run.sequences.upperBound])
  }

  /// A failure for each vBERT whose outputs are not all numbers; what the server asks itself is told
  /// by its probe.
  func withoutNumbers(_ outputs: [Reply.Output]) -> [BatchFailure] {
    runs.compactMap { run in
      let count = run.sequences.count { !outputs[$0].isFinite }
      guard count > 0, !works[run.sequences.lowerBound].isProbe else { return nil }
      return BatchFailure(
        stage: .result, sequences: count, why: "outputs of \(run.vbert.name) are not finite",
        vberts: [run.vbert])
    }
  }

  /// The part without the sequences that nobody waits for any more; nil where that is all of them.
  var wanted: BatchPart? {
    let keep = works.map { !$0.isUnwanted }
    guard keep.contains(false) else { return self }
    guard keep.contains(true) else { return nil }
    var runs: [Run] = []
    var kept: [Work] = []
    var tokens: [Range<Int>] = []
    for run in self.runs {
      let first = kept.count
      for i in run.sequences where keep[i] {
        kept.append(works[i])
        tokens.append(packed.layout.rows(of: i))
      }
      guard kept.count > first else { continue }
      runs.append(Run(vbert: run.vbert, adapter: run.adapter, sequences: first..<kept.count))
    }
    return BatchPart(
      base: base, engine: engine, works: kept, runs: runs,
      packed: PackedBatch(sequences: kept.map(\.request.tokens)),
      rows: rows?.keeping(tokens), took: took)
  }
}
