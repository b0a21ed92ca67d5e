package import Compute
internal import Model

/// A trained tensor and the sum of its gradients.
package struct Parameter: Sendable {
  package let value: Tensor
  package let gradient: Tensor

  /// Its rows from `first` on.
  func from(row first: Int) -> Parameter {
    Parameter(
      value: value.rows(first..<value.rows), gradient: gradient.rows(first..<gradient.rows))
  }
}

/// Everything that one optimiser trains: values, gradients and AdamW's moments, by name.
package final class ParameterSet {
  package struct Initial {
    var name: String
    /// One or two dimensions; weight decay is for two.
    var shape: [Int]
    var values: [Float]

    package init(_ name: String, shape: [Int], _ values: [Float]) {
      precondition(values.count == shape.reduce(1, *) && 1...2 ~= shape.count)
      (self.name, self.shape, self.values) = (name, shape, values)
    }
  }

  private let layout: TensorLayout
  private let backend: any TrainableBackend
  private let values, gradients, means, squares: TensorStore
  private let norm: Tensor
  private let normMemory: TensorMemory
  /// The values that `keep` put aside; nil where there is no room for them.
  private let kept: TensorStore?
  private let states: [(state: AdamWState, isMatrix: Bool, isHead: Bool)]

  package var shapes: [(name: String, shape: [Int])] { layout.shapes }

  package convenience init(_ list: [Initial], backend: any TrainableBackend)
    throws(ComputeError)
  {
    let layout = TensorLayout(list.map { ($0.name, $0.shape) })
    try self.init(
      list, layout, ParameterMemory([layout], keeping: false, backend: backend), number: 0,
      offset: 0, backend: backend)
  }

  /// Set `number` of those that share `memory`, `offset` bytes into each part of it.
  private init(
    _ list: [Initial], _ layout: TensorLayout, _ memory: ParameterMemory, number: Int,
    offset: Int, backend: any TrainableBackend
  ) throws(ComputeError) {
    (self.layout, self.backend) = (layout, backend)
    func store(_ memory: TensorMemory) -> TensorStore {
      TensorStore(layout, in: memory, offset: offset)
    }
    let (values, gradients) = (store(memory.values), store(memory.gradients))
    let (means, squares) = (store(memory.means), store(memory.squares))
    (self.values, self.gradients, self.means, self.squares) = (values, gradients, means, squares)
    kept = memory.kept.map(store)
    normMemory = memory.norms
    norm = memory.norms.tensor(count: 1, offset: number * Workspace.bytes(rows: 1, columns: 1))
    states = layout.shapes.compactMap { name, shape in
      guard let value = values[name], let gradient = gradients[name], let mean = means[name],
        let square = squares[name]
      else { return nil }
      return (
        AdamWState(value: value, gradient: gradient, mean: mean, square: square),
        shape.count > 1, name.hasPrefix("head.")
      )
    }
    guard !list.isEmpty else { return }
    try backend.upload(layout.flattened(list.map(\.values)), to: values.flat)
  }

  /// Sets that are trained at once, in memory that they share; each has room to `keep` its values.
  static func together(_ lists: [[Initial]], backend: any TrainableBackend) throws(ComputeError)
    -> [ParameterSet]
  {
    let layouts = lists.map { TensorLayout($0.map { ($0.name, $0.shape) }) }
    let memory = try ParameterMemory(layouts, keeping: true, backend: backend)
    var (sets, offset): ([ParameterSet], Int) = ([], 0)
    for (number, layout) in layouts.enumerated() {
      sets.append(
        try ParameterSet(
          lists[number], layout, memory, number: number, offset: offset, backend: backend))
      offset += layout.byteCount
    }
    return sets
  }

  /// nil when no parameter has that name: the tensor is frozen.
  package subscript(name: String) -> Parameter? {
    guard let value = values[name], let gradient = gradients[name] else { return nil }
    return Parameter(value: value, gradient: gradient)
  }

  func require(_ name: String) -> Parameter {
    guard let parameter = self[name] else { preconditionFailure("no parameter \(name)") }
    return parameter
  }

  package func value(of name: String) throws(ComputeError) -> [Float] {
    try backend.download(require(name).value)
  }

  package func gradient(of name: String) throws(ComputeError) -> [Float] {
    try backend.download(require(name).gradient)
  }

  /// Puts all values aside on the device, and back: the best epoch. For sets made by `together`.
  func keep() throws(ComputeError) {
    if let kept { try backend.copy(values.flat, to: kept.flat) }
  }
  func restoreKept() throws(ComputeError) {
    if let kept { try backend.copy(kept.flat, to: values.flat) }
  }

  /// All values by name, in one journey.
  func tensors() throws(ComputeError) -> MemoryTensors {
    layout.tensors(of: try backend.download(values.flat))
  }

  package func clearGradients() throws(ComputeError) {
    try ParameterSet.clearGradients(of: [self])
  }

  /// Neighbours in memory are cleared in one go.
  static func clearGradients(of sets: [ParameterSet]) throws(ComputeError) {
    var next = sets.startIndex
    while next < sets.endIndex {
      let first = sets[next]
      var run = first.gradients.flat
      next += 1
      while next < sets.endIndex, sets[next].gradients.follows(run, of: first.gradients) {
        run.columns += sets[next].gradients.flat.columns
        run.stride = run.columns
        next += 1
      }
      if run.columns > 0 { try first.backend.fill(run, with: 0) }
    }
  }

  /// Global L2 norm of all gradients.
  package func gradientNorm() throws(ComputeError) -> Double {
    try backend.squaredSum(gradients.flat).squareRoot()
  }

  /// AdamW on every tensor, those of two dimensions with `decay`, a head's at `headRate` times the rate;
  /// gradients are first scaled down to the global norm `clipNorm`.
  func adamW(_ step: AdamWStep, decay: Float, headRate: Float, clipNorm: Double) -> AdamWItem {
    AdamWItem(
      states.map {
        AdamWPart($0.state, decay: $0.isMatrix ? decay : 0, rate: $0.isHead ? headRate : 1)
      }, gradients: gradients.flat, step: step, clipNorm: clipNorm, norm: norm)
  }

  func take(_ i: AdamWItem) throws(ComputeError) {
    try backend.adamW(
      i.list, gradients: i.gradients, step: i.step, clipNorm: i.clipNorm, norm: i.norm)
  }

  func optimizerState(of name: String) -> AdamWState {
    guard let mean = means[name], let square = squares[name] else {
      preconditionFailure("no parameter \(name)")
    }
    let parameter = require(name)
    return AdamWState(
      value: parameter.value, gradient: parameter.gradient, mean: mean, square: square)
  }
}

extension Backend {
  package func upload(_ values: [Float], to tensor: Tensor) throws(ComputeError) {
    try unsafe values.withUnsafeBufferPointer { values throws(ComputeError) in
      unsafe try upload(values, to: tensor)
    }
  }

  package func download(_ tensor: Tensor) throws(ComputeError) -> [Float] {
    var values = [Float](repeating: 0, count: tensor.count)
    try unsafe values.withUnsafeMutableBufferPointer { values throws(ComputeError) in
      unsafe try download(tensor, into: values)
    }
    return values
  }
}
