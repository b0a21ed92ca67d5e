/// A linear map in host memory, as checkpoints store it: y = x W^T + b.
package struct HostMatrix: Sendable {
  /// W, [outputs, inputs] row-major.
  package var weight: [Float]
  /// b, [outputs], or nil for none.
  package var bias: [Float]?
  package var outputs: Int
  package var inputs: Int

  package init(weight: [Float], bias: [Float]?, outputs: Int, inputs: Int) {
    precondition(weight.count == outputs * inputs && (bias == nil || bias?.count == outputs))
    self.weight = weight
    self.bias = bias
    self.outputs = outputs
    self.inputs = inputs
  }
}

/// A frozen linear map in the layout that a backend's matmul wants; made once by `Backend.prepare`.
package protocol Matrix: AnyObject, Sendable {
  var outputs: Int { get }
  var inputs: Int { get }
  /// Bytes held on the device.
  var byteCount: Int { get }
}
