internal import Compute
internal import CoreMetrics
internal import Manager
internal import Model

/// What the pipeline counts: nothing by vBERT or tenant, so that a million of them are as many
/// series as one.
struct ServingMetrics: Sendable {
  private let batches: Counter
  private let tokens: Counter
  private let failures: [BatchFailure.Stage: Counter]
  private let batchTokens: Recorder
  private let queue: CoreMetrics.Timer
  private let lookup: CoreMetrics.Timer
  private let compute: CoreMetrics.Timer
  private let levels: [PLOTLevel: Counter]

  init(_ factory: any MetricsFactory) {
    func counter(_ label: String, _ dimensions: [(String, String)] = []) -> Counter {
      Counter(label: label, dimensions: dimensions, factory: factory)
    }
    func timer(_ label: String) -> CoreMetrics.Timer {
      Timer(label: label, dimensions: [], factory: factory)
    }
    batches = counter("vbert_batches_total")
    tokens = counter("vbert_tokens_total")
    failures = Dictionary(
      uniqueKeysWithValues: BatchFailure.Stage.allCases.map { stage in
        (stage, counter("vbert_failures_total", [("stage", stage.rawValue)]))
      })
    batchTokens = Recorder(
      label: "vbert_batch_tokens", dimensions: [], aggregate: true, factory: factory)
    queue = timer("vbert_queue_seconds")
    lookup = timer("vbert_lookup_seconds")
    compute = timer("vbert_compute_seconds")
    levels = [
      .trigram: counter("vbert_plot_rows_total", [("from", "trigram")]),
      .bigram: counter("vbert_plot_rows_total", [("from", "bigram")]),
      .unigram: counter("vbert_plot_rows_total", [("from", "unigram")]),
      .computed: counter("vbert_plot_rows_total", [("from", "computed")]),
    ]
  }

  func note(batch part: BatchPart, lookup: Duration, compute: Duration) {
    batches.increment()
    tokens.increment(by: part.packed.layout.rows)
    batchTokens.record(part.packed.layout.rows)
    self.lookup.recordNanoseconds(lookup.nanoseconds)
    self.compute.recordNanoseconds(compute.nanoseconds)
    guard let found = part.rows?.statistics else { return }
    for (level, count) in [
      (PLOTLevel.trigram, found.trigrams), (.bigram, found.bigrams), (.unigram, found.unigrams),
      (.computed, found.computed),
    ] where count > 0 {
      levels[level]?.increment(by: count)
    }
  }

  func note(queued: Duration) { queue.recordNanoseconds(queued.nanoseconds) }
  func note(failure: BatchFailure) {
    failures[failure.stage]?.increment(by: max(1, failure.sequences))
  }
}

extension Duration {
  fileprivate var nanoseconds: Int64 {
    let (seconds, attoseconds) = components
    return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
  }
}
