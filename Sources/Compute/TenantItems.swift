/// What operations over many vBERTs take besides `LinearItem`, an item a vBERT.

/// The softmax loss of one vBERT's rows of a batch.
package struct SoftmaxItem: Sendable {
  /// [R, classes], fp32, as is d.
  package var logits: Tensor
  package var labels: [Int32]
  package var weights: [Float]?
  package var share: Double
  package var d: Tensor
  /// What the loss is added to: fp32 [1, 1].
  package var value: Tensor

  package init(
    logits: Tensor, labels: [Int32], weights: [Float]?, share: Double, into d: Tensor,
    addingTo value: Tensor
  ) {
    (self.logits, self.labels, self.weights) = (logits, labels, weights)
    (self.share, self.d, self.value) = (share, d, value)
  }
}

/// Rows of one vBERT, of which values are dropped as `dropout` does.
package struct DropoutItem: Sendable {
  package var x: Tensor
  package var probability: Float
  package var key: UInt64

  package init(_ x: Tensor, probability: Float, key: UInt64) {
    (self.x, self.probability, self.key) = (x, probability, key)
  }
}

/// A parameter's share of a step.
package struct AdamWPart: Sendable {
  package var state: AdamWState
  /// Instead of the step's.
  package var decay: Float
  /// What the step's rate is multiplied by.
  package var rate: Float

  package init(_ state: AdamWState, decay: Float, rate: Float = 1) {
    (self.state, self.decay, self.rate) = (state, decay, rate)
  }
}

/// One vBERT's step of the optimiser.
package struct AdamWItem: Sendable {
  package var list: [AdamWPart]
  /// All its gradients; what lies between them is zero.
  package var gradients: Tensor
  package var step: AdamWStep
  package var clipNorm: Double
  /// fp32 [1, 1]; becomes the norm before clipping.
  package var norm: Tensor

  package init(
    _ list: [AdamWPart], gradients: Tensor, step: AdamWStep,
    clipNorm: Double, norm: Tensor
  ) {
    (self.list, self.gradients, self.step) = (list, gradients, step)
    (self.clipNorm, self.norm) = (clipNorm, norm)
  }
}

/// Many vBERTs' operations in one go. Their outputs must not overlap. One after the other where a
/// device has no better way.
extension TrainableBackend {
  package func linear(_ items: [LinearItem], scale: Float, adding: Bool) throws(ComputeError) {
    for i in items {
      try linear(i.x, weight: i.weight, bias: i.bias, scale: scale, adding: adding, into: i.y)
    }
  }

  package func linearInputGradient(_ items: [LinearItem], scale: Float, adding: Bool)
    throws(ComputeError)
  {
    for i in items {
      try linearInputGradient(i.y, weight: i.weight, scale: scale, adding: adding, into: i.x)
    }
  }

  package func linearParameterGradient(_ items: [LinearItem], scale: Float) throws(ComputeError) {
    for i in items {
      try linearParameterGradient(
        i.y, input: i.x, scale: scale, weight: i.weight, bias: i.bias)
    }
  }

  package func softmaxLoss(_ items: [SoftmaxItem]) throws(ComputeError) {
    for i in items {
      try softmaxLoss(
        i.logits, labels: i.labels, weights: i.weights, share: i.share, into: i.d,
        addingTo: i.value)
    }
  }

  package func dropout(_ items: [DropoutItem]) throws(ComputeError) {
    for i in items { try dropout(i.x, probability: i.probability, key: i.key) }
  }

  package func adamW(_ items: [AdamWItem]) throws(ComputeError) {
    for i in items {
      try adamW(
        i.list, gradients: i.gradients, step: i.step, clipNorm: i.clipNorm, norm: i.norm)
    }
  }
}
