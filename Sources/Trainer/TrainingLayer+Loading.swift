import Compute
import Model

/// Frozen small tensors of the layers (norms), kept together.
final class FrozenTensors {
  private let store: TensorStore

  init(_ list: [ParameterSet.Initial], backend: any TrainableBackend) throws(ComputeError) {
    store = try TensorStore(list.map { ($0.name, $0.shape) }, backend: backend)
    for initial in list { try backend.upload(initial.values, to: self[initial.name]) }
  }

  subscript(name: String) -> Tensor {
    guard let tensor = store[name] else { preconditionFailure("no tensor \(name)") }
    return tensor
  }
}

extension TrainingLayer {
  /// Names of a layer's tensors in a `ParameterSet`: Hugging Face's, with query, key and value
  /// stacked as `attention.self.qkv`.
  static func name(_ layer: Int, _ part: String) -> String { "encoder.layer.\(layer).\(part)" }

  /// The base's tensors of a layer, as parameters to train.
  package static func initials(
    _ layer: Int, source: any TensorSource, configuration: Configuration
  ) throws -> [ParameterSet.Initial] {
    let (hidden, wide) = (configuration.hiddenSize, configuration.intermediateSize)
    var list: [ParameterSet.Initial] = []
    func linear(_ part: String, from parts: [String], _ outputs: Int, _ inputs: Int) throws {
      var (weight, bias): ([Float], [Float]) = ([], [])
      for part in parts {
        weight += try source.floats(name(layer, "\(part).weight"), shape: [outputs, inputs])
        bias += try source.floats(name(layer, "\(part).bias"), shape: [outputs])
      }
      list.append(.init(name(layer, "\(part).weight"), shape: [bias.count, inputs], weight))
      list.append(.init(name(layer, "\(part).bias"), shape: [bias.count], bias))
    }
    func norm(_ part: String) throws {
      for end in ["weight", "bias"] {
        let full = name(layer, "\(part).\(end)")
        list.append(.init(full, shape: [hidden], try source.floats(full, shape: [hidden])))
      }
    }
    let attention = "attention.self"
    try linear(
      "\(attention).qkv", from: ["query", "key", "value"].map { "\(attention).\($0)" }, hidden,
      hidden)
    try linear("attention.output.dense", from: ["attention.output.dense"], hidden, hidden)
    try norm("attention.output.LayerNorm")
    try linear("intermediate.dense", from: ["intermediate.dense"], wide, hidden)
    try linear("output.dense", from: ["output.dense"], hidden, wide)
    try norm("output.LayerNorm")
    return list
  }

  /// Frozen maps from `source`, but trained ones where `parameters` holds the layer; the adapters of
  /// `tenants`. `loraScale`: alpha / rank.
  init(
    number: Int, source: any TensorSource, configuration: Configuration,
    parameters: ParameterSet, tenants: [ParameterSet], loraScale: Float, bias: AttentionBias?,
    frozen: FrozenTensors, backend: any TrainableBackend
  ) throws {
    func map(_ part: String, _ initials: [ParameterSet.Initial]) throws -> LinearMap {
      let weightName = TrainingLayer.name(number, "\(part).weight")
      let biasName = TrainingLayer.name(number, "\(part).bias")
      if let weight = parameters[weightName], let bias = parameters[biasName] {
        return .trained(weight: weight, bias: bias)
      }
      guard let weight = initials.first(where: { $0.name == weightName }),
        let bias = initials.first(where: { $0.name == biasName })
      else { preconditionFailure("no tensor \(weightName)") }
      return try LinearMap(weight: weight.values, bias: bias.values, backend: backend)
    }
    func norm(_ part: String) -> NormMap {
      let names = (
        TrainingLayer.name(number, "\(part).weight"), TrainingLayer.name(number, "\(part).bias")
      )
      let epsilon = configuration.layerNormEpsilon
      if let gamma = parameters[names.0], let beta = parameters[names.1] {
        return NormMap(
          norm: Normalization(gamma: gamma.value, beta: beta.value, epsilon: epsilon),
          gradients: (gamma.gradient, beta.gradient))
      }
      return NormMap(
        norm: Normalization(gamma: frozen[names.0], beta: frozen[names.1], epsilon: epsilon),
        gradients: nil)
    }
    let initials = try TrainingLayer.initials(
      number, source: source, configuration: configuration)
    self.number = number
    self.bias = bias
    queryKeyValue = try map("attention.self.qkv", initials)
    output = try map("attention.output.dense", initials)
    attentionNorm = norm("attention.output.LayerNorm")
    up = try map("intermediate.dense", initials)
    down = try map("output.dense", initials)
    outputNorm = norm("output.LayerNorm")
    attentionAdapter = BottleneckParameters(tenants, layer: number, site: .attention)
    outputAdapter = BottleneckParameters(tenants, layer: number, site: .ffn)
    var lowRanks: [LowRankTarget: LowRankParameters] = [:]
    for target in LowRankTarget.allCases {
      lowRanks[target] = LowRankParameters(
        tenants, layer: number, target: target, scale: loraScale)
    }
    self.lowRanks = lowRanks
  }
}
