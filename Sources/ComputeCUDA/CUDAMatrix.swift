internal import CCUDA
internal import Compute

/// A frozen linear map: W in bf16 as checkpoints have it, [outputs, inputs], its bias, and the
/// descriptions of the products that it is used in.
@safe final class CUDAMatrix: Matrix, @unchecked Sendable {
  let outputs: Int
  let inputs: Int
  let byteCount: Int
  let weight: DeviceBuffer
  private let bias: DeviceBuffer
  /// y = x W^T + b, and the same with GELU.
  let plain: Products.Operation
  let gelu: Products.Operation

  init(
    outputs: Int, inputs: Int, weight: consuming DeviceBuffer, bias: consuming DeviceBuffer,
    products: Products
  ) throws(ComputeError) {
    // One owner of 0 bytes where there is no bias.
    let address = bias.address
    plain = try products.operation(bias: address, gelu: false)
    gelu = try products.operation(bias: address, gelu: true)
    byteCount = weight.byteCount + bias.byteCount
    self.outputs = outputs
    self.inputs = inputs
    self.weight = weight
    self.bias = bias
  }
}
