import Compute
import Model

/// One layer in training: the base's maps, frozen or trained, with the adapters beside them.
/// Forward keeps what backward needs; backward is written out by hand in reverse order.
struct TrainingLayer {
  let number: Int
  /// What scores get by distance, where the architecture has it.
  let bias: AttentionBias?
  let queryKeyValue: LinearMap
  let output: LinearMap
  let attentionNorm: NormMap
  let up: LinearMap
  let down: LinearMap
  let outputNorm: NormMap
  let attentionAdapter: BottleneckParameters?
  let outputAdapter: BottleneckParameters?
  let lowRanks: [LowRankTarget: LowRankParameters]

  /// Where a pass through the layer begins: everything before is frozen, so its states are computed
  /// once a job and gradients end there.
  enum Start: Int, Comparable {
    /// The layer's input.
    case input
    /// The attention sub-block's output, before the adapter there.
    case attended
    /// The layer's output, before the adapter there.
    case output

    static func < (a: Start, b: Start) -> Bool { a.rawValue < b.rawValue }
  }

  /// The latest start that leaves out nothing trained; nil when nothing here is.
  var start: Start? {
    let attentionTargets: [LowRankTarget] = [.query, .key, .value, .output]
    if queryKeyValue.isTrained || attentionTargets.contains(where: { lowRanks[$0] != nil }) {
      return .input
    }
    if attentionAdapter != nil || lowRanks[.up] != nil || lowRanks[.down] != nil {
      return .attended
    }
    return outputAdapter != nil ? .output : nil
  }

  /// What forward leaves for backward. The attention part is nil when the pass began after it.
  struct Saved {
    struct Attention {
      let input, qkv, context: Tensor
      let norm: SavedNorm
    }
    struct FeedForward {
      /// x W_up's GELU derivative and value [R, wide]; the value is kept only for parameters of
      /// `down`.
      let derivative: Tensor
      let wide: Tensor?
      let norm: SavedNorm
    }
    let start: Start
    var attention: Attention?
    var attentionAdapter: BottleneckParameters.Saved?
    /// The FFN's input.
    var middle: Tensor?
    var feedForward: FeedForward?
    var outputAdapter: BottleneckParameters.Saved?
    var low: [LowRankTarget: Tensor] = [:]
    /// The layer's output [R, H].
    var result: Tensor
  }
}

extension TrainingLayer {
  /// Runs from `start` with `x`, the state there, which must stay readable until backward is done.
  func forward(_ x: Tensor, from start: Start, _ run: TrainingRun) throws(ComputeError) -> Saved {
    var saved = Saved(start: start, result: x)
    if start == .input { try attend(&saved, run) }
    if start < .output {
      if let adapter = attentionAdapter {
        let done = try adapter.forward(saved.result, run)
        saved.attentionAdapter = done
        saved.result = done.output
      }
      try feedForward(&saved, run)
    }
    if let adapter = outputAdapter {
      let done = try adapter.forward(saved.result, run)
      saved.outputAdapter = done
      saved.result = done.output
    }
    return saved
  }

  /// The state at `target`, from the layer's input, keeping nothing; adapters after it have no part.
  func advance(_ x: Tensor, to target: Start, _ run: TrainingRun) throws(ComputeError) -> Tensor {
    var saved = Saved(start: .input, result: x)
    if target > .input { try attend(&saved, run) }
    if target > .attended { try feedForward(&saved, run) }
    return saved.result
  }

  private func attend(_ saved: inout Saved, _ run: TrainingRun) throws(ComputeError) {
    let (backend, x) = (run.backend, saved.result)
    let hidden = x.columns
    let qkv = run.take(x.rows, 3 * hidden)
    try queryKeyValue.forward(x, into: qkv, backend)
    for (target, columns) in TrainingLayer.columns(hidden) {
      try addLowRank(target, x, into: qkv.columns(columns), &saved, run)
    }
    let context = run.take(x.rows, hidden)
    try backend.attention(
      qkv, sequences: run.sequences, heads: run.heads, bias: bias?.values, into: context)
    let attended = run.take(x.rows, hidden)
    try output.forward(context, into: attended, backend)
    try addLowRank(.output, context, into: attended, &saved, run)
    let norm = run.takeNorm(x.rows, hidden)
    try backend.addNormSaving(
      attended, residual: x, norm: attentionNorm.norm, into: attended, saving: norm)
    saved.attention = .init(input: x, qkv: qkv, context: context, norm: norm)
    saved.result = attended
  }

  private func feedForward(_ saved: inout Saved, _ run: TrainingRun) throws(ComputeError) {
    let (backend, x) = (run.backend, saved.result)
    saved.middle = x
    let derivative = run.take(x.rows, up.outputs)
    try up.forward(x, into: derivative, backend)
    try addLowRank(.up, x, into: derivative, &saved, run)
    let result = run.take(x.rows, x.columns)
    let norm = run.takeNorm(x.rows, x.columns)
    let keepsWide = down.isTrained || lowRanks[.down] != nil
    let mark = run.workspace.mark
    let wide = run.take(x.rows, up.outputs)
    try backend.geluSaving(derivative, into: wide)
    try down.forward(wide, into: result, backend)
    try addLowRank(.down, wide, into: result, &saved, run)
    if !keepsWide { run.workspace.reset(to: mark) }
    try backend.addNormSaving(
      result, residual: x, norm: outputNorm.norm, into: result, saving: norm)
    saved.feedForward = .init(
      derivative: derivative, wide: keepsWide ? wide : nil, norm: norm)
    saved.result = result
  }

  private func addLowRank(
    _ target: LowRankTarget, _ x: Tensor, into out: Tensor, _ saved: inout Saved,
    _ run: TrainingRun
  ) throws(ComputeError) {
    guard let low = lowRanks[target] else { return }
    saved.low[target] = try low.forward(x, into: out, run)
  }

  /// Where query, key and value lie in the stacked product.
  static func columns(_ hidden: Int) -> [(LowRankTarget, Range<Int>)] {
    [
      (.query, 0..<hidden), (.key, hidden..<2 * hidden), (.value, 2 * hidden..<3 * hidden),
    ]
  }
}

extension TrainingRun {
  func takeNorm(_ rows: Int, _ columns: Int) -> SavedNorm {
    SavedNorm(normalised: take(rows, columns), inverse: takeFloats(1, rows))
  }
}
