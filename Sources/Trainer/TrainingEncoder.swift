import Compute
import Model

/// The upper layers with what trains in them.
struct TrainingEncoder {
  let configuration: Configuration
  let layers: [TrainingLayer]
  let backend: any TrainableBackend
  let bias: BiasTraining?
  private let frozen: FrozenTensors

  /// Layers of `range` with frozen weights from `source`, or trained ones, and the adapters, where
  /// `parameters` holds them; the adapters of many `tenants`, all of one kind, where they are given.
  /// `loraScale`: alpha / rank. `bias`: where other layers share it, else the encoder has its own.
  init(
    _ range: Range<Int>, source: any TensorSource, configuration: Configuration,
    parameters: ParameterSet, tenants: [ParameterSet]? = nil, bias shared: BiasTraining? = nil,
    loraScale: Float, backend: any TrainableBackend
  ) throws {
    let bias =
      try shared
      ?? BiasTraining(
        source: source, configuration: configuration, parameters: parameters, backend: backend)
    self.bias = bias
    self.configuration = configuration
    self.backend = backend
    let hidden = configuration.hiddenSize
    var norms: [ParameterSet.Initial] = []
    for layer in range {
      for part in ["attention.output.LayerNorm", "output.LayerNorm"] {
        for end in ["weight", "bias"] {
          let name = TrainingLayer.name(layer, "\(part).\(end)")
          if parameters[name] == nil { norms.append(try .init(reading: name, [hidden], source)) }
        }
      }
    }
    let frozen = try FrozenTensors(norms, backend: backend)
    self.frozen = frozen
    layers = try range.map {
      try TrainingLayer(
        number: $0, source: source, configuration: configuration, parameters: parameters,
        tenants: tenants ?? [parameters], loraScale: loraScale, bias: bias?.bias, frozen: frozen,
        backend: backend)
    }
  }

  /// A point on the way through the layers: `layers[layer]`'s start.
  struct Point: Hashable {
    var layer: Int
    var start: TrainingLayer.Start
  }

  /// Where training begins: all before is frozen. The end of the last layer where only a head trains.
  var start: Point {
    for (number, layer) in layers.enumerated() {
      if let start = layer.start { return Point(layer: number, start: start) }
    }
    return Point(layer: layers.count, start: .input)
  }

  /// The frozen state at `start`, from x, the input of the first layer; in new memory of `run`.
  func advance(_ x: Tensor, _ run: TrainingRun) throws(ComputeError) -> Tensor {
    try bias?.refresh()
    let end = start
    var state = x
    for (number, layer) in layers.prefix(end.layer + 1).enumerated() {
      let target = number < end.layer ? .output : end.start
      state = try layer.advance(state, to: target, run)
    }
    return state
  }

  /// Runs from `start`; `x` must stay readable until backward is done.
  func forward(_ x: Tensor, from start: Point, _ run: TrainingRun) throws(ComputeError)
    -> [TrainingLayer.Saved]
  {
    try bias?.refresh()
    var saved: [TrainingLayer.Saved] = []
    for (number, layer) in layers.enumerated().dropFirst(start.layer) {
      let begin = number == start.layer ? start.start : .input
      saved.append(try layer.forward(saved.last?.result ?? x, from: begin, run))
    }
    return saved
  }

  /// d, the gradient at the last layer's output. With `wantsInput` it becomes the one at the state
  /// that entered; else it holds nothing of use afterwards. `visit` may add to the gradient at a
  /// layer's output (its place among `saved`) before the layer is gone through.
  func backward(
    _ d: Tensor, _ saved: [TrainingLayer.Saved], wantsInput: Bool, _ run: TrainingRun,
    visit: (Int, Tensor) throws(ComputeError) -> Void = { _, _ in }
  ) throws(ComputeError) {
    for (place, pair) in zip(layers.suffix(saved.count), saved).enumerated().reversed() {
      try visit(place, d)
      try pair.0.backward(d, pair.1, wantsInput: wantsInput || place > 0, run)
    }
  }
}
