import Compute
import Model

/// A linear map of the base while something is trained: frozen, in layouts for both directions, or
/// itself trained.
enum LinearMap {
  /// `transposed` is W^T prepared as a map of its own, without bias: gradients go through it.
  case frozen(forward: any Matrix, transposed: any Matrix)
  case trained(weight: Parameter, bias: Parameter)

  /// `weight` [outputs, inputs]. Frozen maps are in the lane's precision, both ways.
  init(weight: [Float], bias: [Float], backend: any Backend) throws(ComputeError) {
    let (outputs, inputs) = (bias.count, weight.count / bias.count)
    var transposed = [Float](repeating: 0, count: weight.count)
    for o in 0..<outputs {
      for i in 0..<inputs { transposed[i * outputs + o] = weight[o * inputs + i] }
    }
    self = .frozen(
      forward: try backend.prepareReduced(
        HostMatrix(weight: weight, bias: bias, outputs: outputs, inputs: inputs)),
      transposed: try backend.prepareReduced(
        HostMatrix(weight: transposed, bias: nil, outputs: inputs, inputs: outputs)))
  }

  var isTrained: Bool {
    switch self {
    case .frozen: false
    case .trained: true
    }
  }

  var outputs: Int {
    switch self {
    case .frozen(let forward, _): forward.outputs
    case .trained(let weight, _): weight.value.rows
    }
  }

  /// out = x W^T + b.
  func forward(_ x: Tensor, into out: Tensor, _ backend: any TrainableBackend)
    throws(ComputeError)
  {
    switch self {
    case .frozen(let forward, _):
      try backend.matmul(x, forward, activation: .none, into: out)
    case .trained(let weight, let bias):
      try backend.linear(
        x, weight: weight.value, bias: bias.value, scale: 1, adding: false, into: out)
    }
  }

  /// dx = d W.
  func inputGradient(_ d: Tensor, into dx: Tensor, _ backend: any TrainableBackend)
    throws(ComputeError)
  {
    switch self {
    case .frozen(_, let transposed):
      try backend.matmul(d, transposed, activation: .none, into: dx)
    case .trained(let weight, _):
      try backend.linearInputGradient(d, weight: weight.value, scale: 1, adding: false, into: dx)
    }
  }

  /// Adds to the map's own gradients; nothing where it is frozen.
  func parameterGradient(_ d: Tensor, input x: Tensor, _ backend: any TrainableBackend)
    throws(ComputeError)
  {
    guard case .trained(let weight, let bias) = self else { return }
    try backend.linearParameterGradient(
      d, input: x, scale: 1, weight: weight.gradient, bias: bias.gradient)
  }
}

/// A LayerNorm of the base, frozen or trained.
struct NormMap {
  let norm: Normalization
  /// nil: frozen.
  let gradients: (gamma: Tensor, beta: Tensor)?

  func backward(_ d: Tensor, saved: SavedNorm, _ backend: any TrainableBackend)
    throws(ComputeError)
  {
    try backend.addNormBackward(d, saved: saved, gamma: norm.gamma, gradients: gradients)
  }
}
