internal import Foundation

/// Supervised contrastive loss (Khosla et al. 2020): of every vector that has fellows, vectors of its own
/// label, the mean over these of -log of their share in the softmax of scale * cosine with all others.
/// The mean over such vectors. A value: vectors and labels in, loss and gradient out, on the host.
package struct ContrastiveLoss: Sendable {
  /// What cosines are multiplied by: 1 / temperature.
  package var scale = 20.0

  package init(scale: Double = 20) { self.scale = scale }

  /// `features` [labels.count, hidden], not normalised; the gradient is theirs. A negative label is
  /// nobody's fellow. O(count^2 * hidden).
  package func callAsFunction(
    _ features: [Float], labels: [Int32], hidden: Int
  ) -> (loss: Double, gradient: [Float]) {
    let cosines = Cosines(features, hidden: hidden, dimensions: hidden)
    let loss = loss(cosines, labels: labels)
    var gradient = [Float](repeating: 0, count: features.count)
    cosines.backward(loss.gradient, share: 1, to: &gradient)
    return (loss.value, gradient)
  }

  func loss(_ cosines: Cosines, labels: [Int32]) -> CosineLoss {
    precondition(labels.count == cosines.count)
    let count = cosines.count
    var loss = CosineLoss(count: count)
    let fellows = labels.indices.map { i in
      labels.indices.filter { $0 != i && labels[i] >= 0 && labels[$0] == labels[i] }
    }
    let anchors = labels.indices.filter { !fellows[$0].isEmpty }
    let share = 1 / Double(max(1, anchors.count))
    for i in anchors {
      let others = labels.indices.filter { $0 != i }
      let softmax = Softmax(others.map { scale * cosines(i, $0) })
      for (j, probability) in zip(others, softmax.probabilities) {
        loss.gradient[i * count + j] += share * scale * probability
      }
      let part = share / Double(fellows[i].count)
      for j in fellows[i] {
        loss.value += part * (softmax.logSum - scale * cosines(i, j))
        loss.gradient[i * count + j] -= part * scale
      }
    }
    return loss
  }
}

/// exp(x) / sum exp(x), and log sum exp(x), in a way that does not overflow.
struct Softmax {
  let probabilities: [Double]
  let logSum: Double

  /// Not empty.
  init(_ logits: [Double]) {
    let top = logits.max() ?? 0
    let values = logits.map { exp($0 - top) }
    let sum = values.reduce(0, +)
    probabilities = values.map { $0 / sum }
    logSum = top + log(sum)
  }
}
