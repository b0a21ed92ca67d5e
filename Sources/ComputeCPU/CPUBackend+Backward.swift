internal import CSIMD
package import Compute

extension CPUBackend {
  package func addNormSaving(
    _ x: Tensor, residual: Tensor?, norm: Normalization, into out: Tensor, saving saved: SavedNorm
  ) throws(ComputeError) {
    precondition(x.isContiguous && out.isContiguous && saved.normalised.count == x.count)
    precondition(saved.inverse.count == x.rows && residual?.isContiguous != false)
    parallel(count: x.rows, by: 32) { rows in
      let first = rows.lowerBound
      unsafe csimd_add_norm_saving(
        Int64(rows.count), Int64(x.columns), x.row(first), residual?.row(first), norm.gamma.dense,
        norm.beta.dense, norm.epsilon, out.row(first), saved.normalised.row(first),
        saved.inverse.dense + first)
    }
  }

  package func addNormBackward(
    _ d: Tensor, saved: SavedNorm, gamma: Tensor, gradients: (gamma: Tensor, beta: Tensor)?
  ) throws(ComputeError) {
    precondition(d.isContiguous && saved.normalised.count == d.count)
    if let gradients {
      parallel(count: d.columns, by: 64) { columns in
        unsafe csimd_norm_parameters(
          Int64(d.rows), Int64(d.columns), Int64(columns.lowerBound), Int64(columns.upperBound),
          d.dense, saved.normalised.dense, gradients.gamma.dense, gradients.beta.dense)
      }
    }
    parallel(count: d.rows, by: 32) { rows in
      let first = rows.lowerBound
      unsafe csimd_norm_backward(
        Int64(rows.count), Int64(d.columns), d.row(first), saved.normalised.row(first),
        saved.inverse.dense + first, gamma.dense)
    }
  }

  package func attentionBackward(
    _ d: Tensor, qkv: Tensor, sequences: any PlacedSequences, heads: Int, bias: AttentionBias?,
    into dqkv: Tensor
  ) throws(ComputeError) {
    let (layout, hidden, width) = (sequences.layout, d.columns, d.columns / heads)
    precondition(qkv.columns == 3 * hidden && dqkv.columns == 3 * hidden)
    precondition(qkv.stride == dqkv.stride && layout.rows == d.rows)
    precondition(bias?.values.fits(heads: heads, longest: layout.longest) ?? true)
    try unsafe check(
      csimd_reserve(
        context,
        Int(csimd_attention_backward_scratch(Int64(layout.longest), Int64(width)))
          * MemoryLayout<Float>.size))
    func backward(_ sequence: Int, _ head: Int, _ thread: Int) {
      let rows = layout.rows(of: sequence)
      let column = head * width
      let from = unsafe qkv.row(rows.lowerBound) + column
      let to = unsafe dqkv.row(rows.lowerBound) + column
      let biases = unsafe bias.map { unsafe $0.values.middle(head) }
      let gradients = unsafe bias?.gradient.map { unsafe $0.middle(head) }
      unsafe csimd_attention_backward(
        Int64(rows.count), Int64(width), 1 / Float(width).squareRoot(), from, from + hidden,
        from + 2 * hidden, Int64(qkv.stride), d.row(rows.lowerBound) + column, Int64(d.stride),
        biases, gradients, to, to + hidden, to + 2 * hidden,
        csimd_scratch(context, Int32(thread)).assumingMemoryBound(to: Float.self))
    }
    guard bias?.gradient != nil else {
      return parallel(tasks: layout.count * heads) { task, thread in
        backward(task / heads, task % heads, thread)
      }
    }
    // Sequences add to their head's gradient in order.
    parallel(tasks: heads) { head, thread in
      for sequence in 0..<layout.count { backward(sequence, head, thread) }
    }
  }

  package func poolBackward(
    _ d: Tensor, sequences: any PlacedSequences, pooling: Pooling, into dx: Tensor
  ) throws(ComputeError) {
    let layout = sequences.layout
    precondition(d.rows == layout.count && dx.rows == layout.rows && dx.isContiguous)
    precondition(pooling != .normalizedMean)
    for i in 0..<layout.count {
      let rows = layout.rows(of: i)
      unsafe csimd_pool_backward(
        Int64(rows.count), Int64(d.columns), pooling == .mean ? 1 : 0, d.row(i),
        dx.row(rows.lowerBound))
    }
  }

  package func applyGateSaving(
    _ x: Tensor, gate: Tensor, bias: Tensor, into out: Tensor, opening: Tensor
  ) throws(ComputeError) {
    precondition(opening.count == x.rows && x.isContiguous && out.isContiguous)
    unsafe csimd_gate_saving(
      Int64(x.rows), Int64(x.columns), x.dense, gate.dense, bias.dense[0], out.dense,
      opening.dense)
  }

  package func gateBackward(
    _ d: Tensor, x: Tensor, gate: Tensor, opening: Tensor, gradients: (gate: Tensor, bias: Tensor)?
  ) throws(ComputeError) {
    unsafe csimd_gate_backward(
      Int64(d.rows), Int64(d.columns), d.dense, x.dense, gate.dense, opening.dense,
      gradients?.gate.dense, gradients?.bias.dense)
  }

  package func softmaxLoss(
    _ logits: Tensor, labels: [Int32], weights: [Float]?, share: Double, into d: Tensor
  ) throws(ComputeError) -> Double {
    precondition(logits.count == d.count && labels.count == logits.rows)
    precondition(labels.allSatisfy { $0 < logits.columns })
    precondition(weights == nil || weights?.count == logits.columns)
    return unsafe labels.withUnsafeBufferPointer { labels in
      unsafe withOptional(weights) { weights in
        guard let labels = labels.baseAddress else { return 0 }
        return unsafe csimd_softmax_loss(
          Int64(logits.rows), Int64(logits.columns), logits.dense, labels, weights, share, d.dense)
      }
    }
  }

  package func binaryLoss(
    _ logits: Tensor, targets: [Float], weights: [Float]?, share: Double, into d: Tensor
  ) throws(ComputeError) -> Double {
    precondition(logits.count == d.count && targets.count == logits.count)
    precondition(weights == nil || weights?.count == logits.columns)
    return unsafe targets.withUnsafeBufferPointer { targets in
      unsafe withOptional(weights) { weights in
        guard let targets = targets.baseAddress else { return 0 }
        return unsafe csimd_binary_loss(
          Int64(logits.rows), Int64(logits.columns), logits.dense, targets, weights, share, d.dense)
      }
    }
  }

  package func squaredLoss(_ x: Tensor, targets: Tensor, share: Double, into d: Tensor)
    throws(ComputeError) -> Double
  {
    precondition(x.count == targets.count && x.count == d.count)
    return unsafe csimd_squared_loss(Int64(x.count), share, x.dense, targets.dense, d.dense)
  }
}

extension Tensor {
  /// Of attention's biases, that of distance 0.
  fileprivate func middle(_ head: Int) -> UnsafeMutablePointer<Float> {
    unsafe row(head) + columns / 2
  }
}

private func withOptional<T>(_ values: [Float]?, _ body: (UnsafePointer<Float>?) -> T) -> T {
  guard let values else { return body(nil) }
  return unsafe values.withUnsafeBufferPointer { unsafe body($0.baseAddress) }
}
