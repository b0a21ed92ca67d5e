import Compute
import Model

extension TrainingLayer {
  /// d, the gradient at the layer's output, becomes the one at `saved.start`; without `wantsInput`
  /// the last step is left out and d holds nothing of use.
  func backward(_ d: Tensor, _ saved: Saved, wantsInput: Bool, _ run: TrainingRun)
    throws(ComputeError)
  {
    let mark = run.workspace.mark
    defer { run.workspace.reset(to: mark) }
    if let adapter = outputAdapter, let done = saved.outputAdapter {
      let more = wantsInput || saved.start < .output
      try adapter.backward(d, done, wantsInput: more, run)
    }
    guard let feedForward = saved.feedForward, let middle = saved.middle else { return }
    let more =
      wantsInput || saved.start < .attended || attentionAdapter != nil
    try backward(d, feedForward, middle: middle, saved, wantsInput: more, run)
    if let adapter = attentionAdapter, let done = saved.attentionAdapter {
      try adapter.backward(d, done, wantsInput: wantsInput || saved.start < .attended, run)
    }
    guard let attention = saved.attention else { return }
    try backward(d, attention, saved, wantsInput: wantsInput, run)
  }

  private func backward(
    _ d: Tensor, _ kept: Saved.FeedForward, middle: Tensor, _ saved: Saved, wantsInput: Bool,
    _ run: TrainingRun
  ) throws(ComputeError) {
    let backend = run.backend
    let mark = run.workspace.mark
    defer { run.workspace.reset(to: mark) }
    try outputNorm.backward(d, saved: kept.norm, backend)
    let dwide = run.take(d.rows, up.outputs)
    try down.inputGradient(d, into: dwide, backend)
    if let wide = kept.wide {
      try down.parameterGradient(d, input: wide, backend)
      try lowRankBackward(.down, d, input: wide, into: dwide, saved, run)
    }
    try backend.multiply(dwide, by: kept.derivative)
    try up.parameterGradient(dwide, input: middle, backend)
    guard wantsInput else {
      return try lowRankBackward(.up, dwide, input: middle, into: nil, saved, run)
    }
    let dmiddle = run.take(d.rows, d.columns)
    try up.inputGradient(dwide, into: dmiddle, backend)
    try lowRankBackward(.up, dwide, input: middle, into: dmiddle, saved, run)
    try backend.add(dmiddle, scale: 1, to: d)
  }

  private func backward(
    _ d: Tensor, _ kept: Saved.Attention, _ saved: Saved, wantsInput: Bool, _ run: TrainingRun
  ) throws(ComputeError) {
    let (backend, hidden) = (run.backend, d.columns)
    try attentionNorm.backward(d, saved: kept.norm, backend)
    try output.parameterGradient(d, input: kept.context, backend)
    let dcontext = run.take(d.rows, hidden)
    try output.inputGradient(d, into: dcontext, backend)
    try lowRankBackward(.output, d, input: kept.context, into: dcontext, saved, run)
    let dqkv = run.take(d.rows, 3 * hidden)
    try backend.attentionBackward(
      dcontext, qkv: kept.qkv, sequences: run.sequences, heads: run.heads, bias: bias,
      into: dqkv)
    try run.relate?(number, dqkv)
    try queryKeyValue.parameterGradient(dqkv, input: kept.input, backend)
    let dx = wantsInput ? dcontext : nil
    if let dx { try queryKeyValue.inputGradient(dqkv, into: dx, backend) }
    for (target, columns) in TrainingLayer.columns(hidden) {
      try lowRankBackward(
        target, dqkv.columns(columns), input: kept.input, into: dx, saved, run)
    }
    if let dx { try backend.add(dx, scale: 1, to: d) }
  }

  private func lowRankBackward(
    _ target: LowRankTarget, _ d: Tensor, input x: Tensor, into dx: Tensor?, _ saved: Saved,
    _ run: TrainingRun
  ) throws(ComputeError) {
    guard let lowRank = lowRanks[target], let low = saved.low[target] else { return }
    try lowRank.backward(d, input: x, low: low, into: dx, run)
  }
}
