package import Compute

extension CUDABackend {
  package func softmaxLoss(
    _ logits: Tensor, labels: [Int32], weights: [Float]?, share: Double, into d: Tensor
  ) throws(ComputeError) -> Double {
    let parts = try softmaxParts(logits, labels, weights, share, d)
    return try total(parts.0, count: parts.count)
  }

  package func softmaxLoss(
    _ logits: Tensor, labels: [Int32], weights: [Float]?, share: Double, into d: Tensor,
    addingTo value: Tensor
  ) throws(ComputeError) {
    let parts = try softmaxParts(logits, labels, weights, share, d)
    try add(parts.0, count: parts.count, to: value)
  }

  private func softmaxParts(
    _ logits: Tensor, _ labels: [Int32], _ weights: [Float]?, _ share: Double, _ d: Tensor
  ) throws(ComputeError) -> (BufferPool.Lent, count: Int) {
    precondition(logits.count == d.count && labels.count == logits.rows)
    precondition(labels.allSatisfy { $0 < logits.columns })
    precondition(weights == nil || weights?.count == logits.columns)
    precondition(logits.isContiguous && d.isContiguous)
    let blocks = (logits.rows + 7) / 8
    let (labels, weights) = (try table(labels), try optionalTable(weights))
    let partials = try buffers.take(8 * blocks)
    try launch(
      kernel("softmaxLoss", in: "losses.cu", logits, d, logits), grid: (blocks, 1), block: 256,
      [
        .tensor(logits), .address(labels.address), .address(weights?.address ?? 0),
        .double(share), .tensor(d), .int(logits.rows), .int(logits.columns),
        .address(partials.address),
      ])
    return (partials, blocks)
  }

  package func binaryLoss(
    _ logits: Tensor, targets: [Float], weights: [Float]?, share: Double, into d: Tensor
  ) throws(ComputeError) -> Double {
    let parts = try binaryParts(logits, targets, weights, share, d)
    return try total(parts.0, count: parts.count)
  }

  package func binaryLoss(
    _ logits: Tensor, targets: [Float], weights: [Float]?, share: Double, into d: Tensor,
    addingTo value: Tensor
  ) throws(ComputeError) {
    let parts = try binaryParts(logits, targets, weights, share, d)
    try add(parts.0, count: parts.count, to: value)
  }

  private func binaryParts(
    _ logits: Tensor, _ targets: [Float], _ weights: [Float]?, _ share: Double, _ d: Tensor
  ) throws(ComputeError) -> (BufferPool.Lent, count: Int) {
    precondition(logits.count == d.count && targets.count == logits.count)
    precondition(weights == nil || weights?.count == logits.columns)
    precondition(logits.isContiguous && d.isContiguous)
    let blocks = (logits.count + 255) / 256
    let (targets, weights) = (try table(targets), try optionalTable(weights))
    let partials = try buffers.take(8 * blocks)
    try launch(
      kernel("binaryLoss", in: "losses.cu", logits, d, logits), grid: (blocks, 1), block: 256,
      [
        .tensor(logits), .address(targets.address), .address(weights?.address ?? 0),
        .double(share), .tensor(d), .count(logits.count), .int(logits.columns),
        .address(partials.address),
      ])
    return (partials, blocks)
  }

  package func squaredLoss(_ x: Tensor, targets: Tensor, share: Double, into d: Tensor)
    throws(ComputeError) -> Double
  {
    let parts = try squaredParts(x, targets, share, d)
    return try total(parts.0, count: parts.count)
  }

  package func squaredLoss(
    _ x: Tensor, targets: Tensor, share: Double, into d: Tensor, addingTo value: Tensor
  ) throws(ComputeError) {
    let parts = try squaredParts(x, targets, share, d)
    try add(parts.0, count: parts.count, to: value)
  }

  private func squaredParts(_ x: Tensor, _ targets: Tensor, _ share: Double, _ d: Tensor)
    throws(ComputeError) -> (BufferPool.Lent, count: Int)
  {
    precondition(x.count == targets.count && x.count == d.count)
    precondition(x.isContiguous && targets.isContiguous && d.isContiguous)
    let blocks = (x.count + CUDABackend.valuesPerSum - 1) / CUDABackend.valuesPerSum
    let partials = try buffers.take(8 * blocks)
    try launch(
      kernel("squaredLoss", in: "losses.cu", x, d, targets), grid: (blocks, 1), block: 256,
      [
        .tensor(x), .tensor(targets), .double(share), .tensor(d), .count(x.count),
        .address(partials.address),
      ])
    return (partials, blocks)
  }

  private func optionalTable(_ values: [Float]?) throws(ComputeError) -> BufferPool.Lent? {
    guard let values else { return nil }
    return try table(values)
  }
}
