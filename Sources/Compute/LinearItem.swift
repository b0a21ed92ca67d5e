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
