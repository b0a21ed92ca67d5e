internal import Compute
internal import Manager
internal import Model

/// A batch that only has to be computed: one part for each base in it.
struct PreparedBatch: Sendable {
  /// Counts up from 1.
  let number: Int
  let tokens: Int
  let closed: ContinuousClock.Instant
  let parts: [BatchPart]
}

/// The sequences of one base, those of one vBERT side by side, so that each is one segment to the
/// grouped operations. Sequences whose heads read tokens come last.
struct BatchPart: Sendable {
  /// Neighbouring sequences of one vBERT.
  struct Run: Sendable {
    let vbert: PinnedVBert
    let adapter: any ResidentAdapter
    let sequences: Range<Int>
  }

  let engine: Engine
  /// One a sequence.
  let works: [Work]
  let runs: [Run]
  let packed: PackedBatch
  /// nil for a dense base. Keeps the rows where they are until the batch has run.
  let rows: PLOTRows?

  /// Whether nothing but the first state of every sequence is asked for.
  var readsFirstRowsAlone: Bool {
    runs.allSatisfy { $0.vbert.spec.readsFirstRowAlone }
  }

  /// Token rows of a run.
  func rows(of run: Run) -> Range<Int> {
    let offsets = packed.layout.offsets
    return Int(offsets[run.sequences.lowerBound])..<Int(offsets[run.sequences.upperBound])
  }
}
