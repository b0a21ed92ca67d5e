import Compute
import Model

/// Where named fp32 tensors lie in one run of memory; what lies between them is zero.
struct TensorLayout {
  /// In the order of memory.
  let shapes: [(name: String, shape: [Int])]
  private let places: [String: (offset: Int, shape: [Int])]
  let byteCount: Int

  init(_ shapes: [(name: String, shape: [Int])]) {
    var places: [String: (Int, [Int])] = [:]
    var bytes = 0
    for (name, shape) in shapes {
      places[name] = (bytes, shape)
      bytes += Workspace.bytes(rows: 1, columns: shape.reduce(1, *))
    }
    (self.shapes, self.places, byteCount) = (shapes, places, bytes)
  }

  var count: Int { byteCount / MemoryLayout<Float>.size }

  /// The tensor of that name, [n] as [1, n]; nil when there is none.
  func tensor(_ name: String, in flat: Tensor) -> Tensor? {
    guard let (offset, shape) = places[name] else { return nil }
    return Tensor(
      address: flat.address + UInt(offset), rows: shape.count > 1 ? shape[0] : 1,
      columns: shape.last ?? 1)
  }

  /// All tensors' values, in order, as memory holds them.
  func flattened(_ values: [[Float]]) -> [Float] {
    var flat: [Float] = []
    flat.reserveCapacity(count)
    for ((name, _), values) in zip(shapes, values) {
      let first = (places[name]?.offset ?? 0) / MemoryLayout<Float>.size
      flat.append(contentsOf: repeatElement(0, count: first - flat.count))
      flat += values
    }
    flat.append(contentsOf: repeatElement(0, count: count - flat.count))
    return flat
  }

  func tensors(of flat: [Float]) -> MemoryTensors {
    var tensors = MemoryTensors()
    for (name, shape) in shapes {
      let first = (places[name]?.offset ?? 0) / MemoryLayout<Float>.size
      tensors.set(name, shape: shape, Array(flat[first..<first + shape.reduce(1, *)]))
    }
    return tensors
  }
}

/// fp32 memory that tensor stores share; zeros at first.
final class TensorMemory {
  private let buffer: DeviceBuffer

  init(byteCount: Int, backend: any TrainableBackend) throws(ComputeError) {
    buffer = try backend.allocate(byteCount: byteCount)
    let all = buffer.tensor(rows: 1, columns: byteCount / MemoryLayout<Float>.size)
    if byteCount > 0 { try backend.fill(all, with: 0) }
  }

  func tensor(count: Int, offset: Int) -> Tensor {
    buffer.tensor(rows: 1, columns: count, offset: offset)
  }
}

/// Named fp32 tensors side by side.
final class TensorStore {
  private let memory: TensorMemory
  private let layout: TensorLayout
  /// All values as one row, padding (zeros) included.
  let flat: Tensor

  init(_ layout: TensorLayout, in memory: TensorMemory, offset: Int) {
    (self.layout, self.memory) = (layout, memory)
    flat = memory.tensor(count: layout.count, offset: offset)
  }

  /// In memory of its own.
  convenience init(_ shapes: [(name: String, shape: [Int])], backend: any TrainableBackend)
    throws(ComputeError)
  {
    let layout = TensorLayout(shapes)
    self.init(
      layout, in: try TensorMemory(byteCount: layout.byteCount, backend: backend), offset: 0)
  }

  /// The tensor of that name, [n] as [1, n]; nil when there is none.
  subscript(name: String) -> Tensor? { layout.tensor(name, in: flat) }

  /// Whether this begins where `run`, which began in `other`, ends.
  func follows(_ run: Tensor, of other: TensorStore) -> Bool {
    memory === other.memory
      && flat.address == run.address + UInt(run.columns * MemoryLayout<Float>.size)
  }
}

/// What parameter sets need of each kind, for sets one behind the other.
struct ParameterMemory {
  let values, gradients, means, squares, norms: TensorMemory
  /// A second place for values; nil without `keeping`.
  let kept: TensorMemory?

  init(_ layouts: [TensorLayout], keeping: Bool, backend: any TrainableBackend)
    throws(ComputeError)
  {
    let bytes = layouts.reduce(0) { $0 + $1.byteCount }
    func memory() throws(ComputeError) -> TensorMemory {
      try TensorMemory(byteCount: bytes, backend: backend)
    }
    values = try memory()
    gradients = try memory()
    means = try memory()
    squares = try memory()
    kept = keeping ? try memory() : nil
    norms = try TensorMemory(
      byteCount: layouts.count * Workspace.bytes(rows: 1, columns: 1), backend: backend)
  }
}
