/// A trained linear map of one vBERT and its rows of a batch: y = x W^T + b.
///
/// Which way it is gone through is the operation's: forward reads x and writes y; the input's gradient
/// reads y (the gradient there) and writes x; the parameters' reads both and adds to weight and bias,
/// which then are gradients.
package struct LinearItem: Sendable {
  /// [R, I].
  package var x: Tensor
  /// [O, I].
  package var weight: Tensor
  package var bias: Tensor?
  /// [R, O].
  package var y: Tensor

  package init(x: Tensor, weight: Tensor, bias: Tensor?, y: Tensor) {
    (self.x, self.weight, self.bias, self.y) = (x, weight, bias, y)
  }
}

/// The softmax loss of one vBERT's rows of a batch.
package struct SoftmaxItem: Sendable {
  /// [R, classes], fp32, as is d.
  package var logits: Tensor
  package var labels: [Int32]
  package var weights: [Float]?
  package var share: Double
  package var d: Tensor

  package init(
    logits: Tensor, labels: [Int32], weights: [Float]?, share: Double, into d: Tensor
  ) {
    (self.logits, self.labels, self.weights) = (logits, labels, weights)
    (self.share, self.d) = (share, d)
  }
}

/// Many vBERTs' maps in one go. Their outputs must not overlap. One after the other where a device has
/// no better way.
extension TrainableBackend {
  package func linear(_ items: [LinearItem]) throws(ComputeError) {
    for i in items {
      try linear(i.x, weight: i.weight, bias: i.bias, scale: 1, adding: false, into: i.y)
    }
  }

  package func linearInputGradient(_ items: [LinearItem], adding: Bool) throws(ComputeError) {
    for i in items {
      try linearInputGradient(i.y, weight: i.weight, scale: 1, adding: adding, into: i.x)
    }
  }

  package func linearParameterGradient(_ items: [LinearItem]) throws(ComputeError) {
    for i in items {
      try linearParameterGradient(i.y, input: i.x, scale: 1, weight: i.weight, bias: i.bias)
    }
  }

  package func softmaxLoss(_ items: [SoftmaxItem], addingTo values: Tensor) throws(ComputeError) {
    for (number, i) in items.enumerated() {
      try softmaxLoss(
        i.logits, labels: i.labels, weights: i.weights, share: i.share, into: i.d,
        addingTo: values.columns(number..<number + 1))
    }
  }
}
