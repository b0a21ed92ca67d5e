import Compute
import Model

/// The biases that all layers' scores get by distance, in training: the table's values spread over all
/// distances, as attention reads them, and where the table is trained their gradients gathered again.
final class BiasTraining {
  /// What layers read; the gradient is zero but while a batch is gone through.
  let bias: AttentionBias
  private let table: Parameter?
  private let places: [Int32]
  private let backend: any TrainableBackend
  private let store: TensorStore

  private static let values: String = "values"
  private static let gradient: String = "gradient"

  /// nil where the architecture has none. Trained where `parameters` holds the table, else frozen as
  /// `source` has it. Throws what reading and the backend throw.
  init?(
    source: any TensorSource, configuration: Configuration, parameters: ParameterSet,
    backend: any TrainableBackend
  ) throws {
    guard let relative = configuration.architecture.relativeBias else { return nil }
    let (heads, length) = (configuration.headCount, configuration.maxPositions)
    self.backend = backend
    table = parameters[RelativeBias.tensorName]
    places = relative.places(heads: heads, length: length)
    let shape = [heads, 2 * length - 1]
    store = try TensorStore([(Self.values, shape), (Self.gradient, shape)], backend: backend)
    guard let values = store[Self.values], let gradient = store[Self.gradient] else {
      preconditionFailure("a store has what it was made of")
    }
    bias = AttentionBias(values: values, gradient: table == nil ? nil : gradient)
    let initial = try source.floats(RelativeBias.tensorName, shape: [relative.buckets, heads])
    try backend.upload(relative.spread(initial, heads: heads, length: length), to: values)
    if table != nil { try backend.fill(gradient, with: 0) }
  }

  /// The table as a parameter to train; none where the architecture has none.
  static func initials(source: any TensorSource, configuration: Configuration) throws
    -> [ParameterSet.Initial]
  {
    guard let relative = configuration.architecture.relativeBias else { return [] }
    return [
      try .init(
        reading: RelativeBias.tensorName, [relative.buckets, configuration.headCount], source)
    ]
  }

  /// Before a pass: spreads what the table has become.
  func refresh() throws(ComputeError) {
    guard let table else { return }
    try backend.gatherSum(
      BiasTraining.list(table.value), indices: places, terms: 1,
      into: BiasTraining.list(bias.values))
  }

  /// After a pass back through all layers: adds what they left to the table's gradient.
  func collect() throws(ComputeError) {
    guard let table, let gradient = bias.gradient else { return }
    try backend.scatterAdd(
      BiasTraining.list(gradient), indices: places, terms: 1,
      to: BiasTraining.list(table.gradient))
    try backend.fill(gradient, with: 0)
  }

  /// A tensor without gaps as one value a row.
  private static func list(_ tensor: Tensor) -> Tensor {
    Tensor(address: tensor.address, rows: tensor.count, columns: 1, type: tensor.type)
  }
}
