/// What a device must be able to do, beyond inference, to train: a hand-written backward for each
/// operation, losses and the optimiser. No graph is recorded; callers keep what backward needs.
///
/// States and their gradients are `activationType`; parameters, their gradients and what norms and
/// gates keep a row are fp32; what a head computes with and what losses see may be either. All tensors
/// are contiguous. Gradients of parameters are added to (several uses of one parameter, several parts
/// of one batch); gradients of states are overwritten unless `adding` says otherwise. Every sum runs in an order that does not depend on the number of threads.
/// Gradients through a frozen map are `matmul` with the transposed matrix, prepared like any other.
package protocol TrainableBackend: Backend {
  // MARK: Linear maps that change at every step

  /// out (+)= scale * x W^T, + b; x [R, I], weight [O, I], out [R, O].
  func linear(
    _ x: Tensor, weight: Tensor, bias: Tensor?, scale: Float, adding: Bool, into out: Tensor
  ) throws(ComputeError)
  /// dx (+)= scale * d W; d [R, O].
  func linearInputGradient(
    _ d: Tensor, weight: Tensor, scale: Float, adding: Bool, into dx: Tensor) throws(ComputeError)
  /// weight += scale * d^T x, bias += column sums of d; both are gradients. `d` may be columns of a
  /// wider tensor where there is no bias.
  func linearParameterGradient(
    _ d: Tensor, input x: Tensor, scale: Float, weight: Tensor, bias: Tensor?
  ) throws(ComputeError)

  // The same for many vBERTs, each with weights and rows of its own; see `LinearItem`.
  func linear(_ items: [LinearItem], scale: Float, adding: Bool) throws(ComputeError)
  func linearInputGradient(_ items: [LinearItem], scale: Float, adding: Bool) throws(ComputeError)
  func linearParameterGradient(_ items: [LinearItem], scale: Float) throws(ComputeError)

  // MARK: Elementwise

  /// out = GELU(x); x becomes the derivative there, which is all that backward needs.
  func geluSaving(_ x: Tensor, into out: Tensor) throws(ComputeError)
  /// x *= y.
  func multiply(_ x: Tensor, by y: Tensor) throws(ComputeError)
  /// x += scale * y.
  func add(_ y: Tensor, scale: Float, to x: Tensor) throws(ComputeError)
  func fill(_ x: Tensor, with value: Float) throws(ComputeError)
  /// Zeroes a share of the values, drawn by (key, element number) alone, and scales the others so
  /// that the expectation stays. The same call on the gradient is its backward.
  func dropout(_ x: Tensor, probability: Float, key: UInt64) throws(ComputeError)
  /// The same for many vBERTs' rows.
  func dropout(_ items: [DropoutItem]) throws(ComputeError)
  /// y = x, of the same type and count.
  func copy(_ x: Tensor, to y: Tensor) throws(ComputeError)

  // MARK: Norms, attention, pooling

  /// out = LayerNorm(x + residual); out may be x or residual.
  func addNormSaving(
    _ x: Tensor, residual: Tensor?, norm: Normalization, into out: Tensor, saving saved: SavedNorm
  ) throws(ComputeError)
  /// d, the gradient at the norm's output, becomes the one at its input (of x and of residual
  /// alike); `gradients` grow where given.
  func addNormBackward(
    _ d: Tensor, saved: SavedNorm, gamma: Tensor, gradients: (gamma: Tensor, beta: Tensor)?
  ) throws(ComputeError)
  /// dqkv [R, 3H] from d [R, H]; probabilities are computed again from qkv and the bias that forward
  /// had, whose gradient [heads, 2 n - 1] grows where given.
  func attentionBackward(
    _ d: Tensor, qkv: Tensor, sequences: any PlacedSequences, heads: Int, bias: AttentionBias?,
    into dqkv: Tensor
  ) throws(ComputeError)
  /// dx [R, H] from d [sequences, H].
  func poolBackward(
    _ d: Tensor, sequences: any PlacedSequences, pooling: Pooling, into dx: Tensor
  ) throws(ComputeError)

  // MARK: Rows by number

  /// out[r] = sum over t of table[indices[r * terms + t]]; a negative index adds nothing. With one
  /// term a copy of rows; with three the n-gram merge.
  func gatherSum(_ table: Tensor, indices: [Int32], terms: Int, into out: Tensor)
    throws(ComputeError)
  /// table[indices[r * terms + t]] += d[r]: the gradient of `gatherSum`, duplicates summed.
  func scatterAdd(_ d: Tensor, indices: [Int32], terms: Int, to table: Tensor)
    throws(ComputeError)

  // MARK: The local layers' gate

  /// out[r] = opening[r] * x[r], opening = sigmoid(gate . x[r] + bias); opening [1, R], bias [1, 1].
  func applyGateSaving(
    _ x: Tensor, gate: Tensor, bias: Tensor, into out: Tensor, opening: Tensor
  ) throws(ComputeError)
  /// d becomes the gradient at x; the gradients of gate and bias grow where given.
  func gateBackward(
    _ d: Tensor, x: Tensor, gate: Tensor, opening: Tensor, gradients: (gate: Tensor, bias: Tensor)?
  ) throws(ComputeError)

  // MARK: Losses: the value, and its gradient in d

  /// share * sum over rows of weights[label] * cross-entropy; rows with a negative label have no
  /// part. logits and d [R, classes].
  func softmaxLoss(
    _ logits: Tensor, labels: [Int32], weights: [Float]?, share: Double, into d: Tensor
  ) throws(ComputeError) -> Double
  /// share * sum of binary cross-entropies against targets [R x labels]; weights[label] multiplies
  /// the positive part.
  func binaryLoss(
    _ logits: Tensor, targets: [Float], weights: [Float]?, share: Double, into d: Tensor
  ) throws(ComputeError) -> Double
  /// share * sum of squared differences.
  func squaredLoss(_ x: Tensor, targets: Tensor, share: Double, into d: Tensor)
    throws(ComputeError) -> Double

  // The same, adding the loss to `value`, fp32 [1, 1] on the device: nothing is waited for.
  func softmaxLoss(
    _ logits: Tensor, labels: [Int32], weights: [Float]?, share: Double, into d: Tensor,
    addingTo value: Tensor
  ) throws(ComputeError)
  func binaryLoss(
    _ logits: Tensor, targets: [Float], weights: [Float]?, share: Double, into d: Tensor,
    addingTo value: Tensor
  ) throws(ComputeError)
  func squaredLoss(
    _ x: Tensor, targets: Tensor, share: Double, into d: Tensor, addingTo value: Tensor
  ) throws(ComputeError)

  /// Every item's loss is added to its own value.
  func softmaxLoss(_ items: [SoftmaxItem]) throws(ComputeError)

  // MARK: The optimiser

  /// Sum of the squares of all values.
  func squaredSum(_ x: Tensor) throws(ComputeError) -> Double
  func adamW(_ state: AdamWState, step: AdamWStep) throws(ComputeError)
  /// One step of many parameters, each with its own decay instead of the step's and its own rate beside it, gradients first
  /// scaled down to the global norm `clipNorm`. `gradients` holds all gradients (what lies between
  /// them is zero); `norm`, fp32 [1, 1], becomes their norm before clipping. Nothing is waited for.
  func adamW(
    _ list: [AdamWPart], gradients: Tensor, step: AdamWStep,
    clipNorm: Double, norm: Tensor
  ) throws(ComputeError)
  /// A step of many vBERTs, each with its own rate, number, norm and clipping.
  func adamW(_ items: [AdamWItem]) throws(ComputeError)
}

extension TrainableBackend {
  package func attentionBackward(
    _ d: Tensor, qkv: Tensor, sequences: any PlacedSequences, heads: Int, into dqkv: Tensor
  ) throws(ComputeError) {
    try attentionBackward(d, qkv: qkv, sequences: sequences, heads: heads, bias: nil, into: dqkv)
  }
}

/// What attention's scores get by distance, as `Backend.attention` takes it, and where it is trained
/// the gradient, of the same shape.
package struct AttentionBias: Sendable {
  package let values: Tensor
  package let gradient: Tensor?

  package init(values: Tensor, gradient: Tensor? = nil) {
    (self.values, self.gradient) = (values, gradient)
  }
}

/// For devices that are the host: what waits for nothing costs nothing.
extension TrainableBackend {
  package func softmaxLoss(
    _ logits: Tensor, labels: [Int32], weights: [Float]?, share: Double, into d: Tensor,
    addingTo value: Tensor
  ) throws(ComputeError) {
    try add(
      softmaxLoss(logits, labels: labels, weights: weights, share: share, into: d), to: value)
  }

  package func binaryLoss(
    _ logits: Tensor, targets: [Float], weights: [Float]?, share: Double, into d: Tensor,
    addingTo value: Tensor
  ) throws(ComputeError) {
    try add(
      binaryLoss(logits, targets: targets, weights: weights, share: share, into: d), to: value)
  }

  package func squaredLoss(
    _ x: Tensor, targets: Tensor, share: Double, into d: Tensor, addingTo value: Tensor
  ) throws(ComputeError) {
    try add(squaredLoss(x, targets: targets, share: share, into: d), to: value)
  }

  package func adamW(
    _ list: [AdamWPart], gradients: Tensor, step: AdamWStep,
    clipNorm: Double, norm: Tensor
  ) throws(ComputeError) {
    let length = try squaredSum(gradients).squareRoot()
    try fill(norm, with: Float(length))
    var step = step
    step.gradientScale *= Float(min(1, clipNorm / (length + 1e-6)))
    let rate = step.rate
    for part in list {
      (step.decay, step.rate) = (part.decay, rate * part.rate)
      try adamW(part.state, step: step)
    }
  }

  /// value, fp32 [1, 1], += loss, from the host.
  package func add(_ loss: Double, to value: Tensor) throws(ComputeError) {
    var total: Float = 0
    try unsafe withUnsafeMutablePointer(to: &total) { total throws(ComputeError) in
      let values = unsafe UnsafeMutableBufferPointer(start: total, count: 1)
      unsafe try download(value, into: values)
      unsafe values[0] += Float(loss)
      unsafe try upload(UnsafeBufferPointer(values), to: value)
    }
  }
}

/// What LayerNorm's backward needs: the normalised values [R, H] and 1 / sqrt(variance + epsilon)
/// [1, R].
package struct SavedNorm: Sendable {
  package var normalised: Tensor
  package var inverse: Tensor

  package init(normalised: Tensor, inverse: Tensor) {
    self.normalised = normalised
    self.inverse = inverse
  }
}

/// A parameter with its gradient and AdamW's two moments, all of one shape.
package struct AdamWState: Sendable {
  package var value: Tensor
  package var gradient: Tensor
  package var mean: Tensor
  package var square: Tensor

  package init(value: Tensor, gradient: Tensor, mean: Tensor, square: Tensor) {
    self.value = value
    self.gradient = gradient
    self.mean = mean
    self.square = square
  }
}

/// One AdamW step: value *= 1 - rate * decay, then value -= rate * mean^ / (sqrt(square^) + epsilon)
/// with bias-corrected moments of gradientScale * gradient (Loshchilov and Hutter 2019).
package struct AdamWStep: Sendable {
  /// Counted from 1.
  package var number: Int
  package var rate: Float
  package var beta1: Float
  package var beta2: Float
  package var epsilon: Float
  package var decay: Float
  /// What clipping by the global norm multiplies gradients by.
  package var gradientScale: Float

  package init(
    number: Int, rate: Float, beta1: Float, beta2: Float, epsilon: Float, decay: Float,
    gradientScale: Float
  ) {
    self.number = number
    self.rate = rate
    self.beta1 = beta1
    self.beta2 = beta2
    self.epsilon = epsilon
    self.decay = decay
    self.gradientScale = gradientScale
  }
}
