/// Named tensors of a checkpoint, in host memory or mapped from a file.
package protocol TensorSource {
  /// Dimensions of the tensor; throws when there is none of that name.
  func shape(_ name: String) throws -> [Int]
  /// Its values, row-major, converted to fp32; throws when there is none of that name.
  func floats(_ name: String) throws -> [Float]
}

extension TensorSource {
  /// Values of a tensor that must have `shape`; throws `WeightsError.shape` otherwise.
  package func floats(_ name: String, shape expected: [Int]) throws -> [Float] {
    let found = try shape(name)
    guard found == expected else {
      throw WeightsError.shape(name: name, found: found, expected: expected)
    }
    return try floats(name)
  }

  /// The linear map `name`.weight [outputs, inputs] and `name`.bias.
  func linear(_ name: String, outputs: Int, inputs: Int) throws -> (w: [Float], b: [Float]) {
    (
      try floats("\(name).weight", shape: [outputs, inputs]),
      try floats("\(name).bias", shape: [outputs])
    )
  }
}

/// Named tensors held in memory.
package struct MemoryTensors: TensorSource, Sendable {
  private var tensors: [String: (shape: [Int], values: [Float])] = [:]

  package init() {}

  package var names: [String] { tensors.keys.sorted() }

  package mutating func set(_ name: String, shape: [Int], _ values: [Float]) {
    precondition(shape.reduce(1, *) == values.count)
    tensors[name] = (shape, values)
  }

  package func shape(_ name: String) throws -> [Int] { try find(name).shape }
  package func floats(_ name: String) throws -> [Float] { try find(name).values }

  private func find(_ name: String) throws(WeightsError) -> (shape: [Int], values: [Float]) {
    guard let tensor = tensors[name] else { throw .missing(name: name) }
    return tensor
  }
}

/// The tensors of two sources; where both have a name, the upper's.
package struct LayeredTensors: TensorSource {
  private let upper: any TensorSource
  private let lower: any TensorSource

  package init(upper: any TensorSource, lower: any TensorSource) {
    (self.upper, self.lower) = (upper, lower)
  }

  private func source(of name: String) -> any TensorSource {
    (try? upper.shape(name)) == nil ? lower : upper
  }

  package func shape(_ name: String) throws -> [Int] { try source(of: name).shape(name) }
  package func floats(_ name: String) throws -> [Float] { try source(of: name).floats(name) }
}

/// What can be wrong with a checkpoint's tensors.
package enum WeightsError: Error, Equatable, CustomStringConvertible {
  case missing(name: String)
  case shape(name: String, found: [Int], expected: [Int])

  package var description: String {
    switch self {
    case .missing(let name): "the weights hold no tensor \"\(name)\""
    case .shape(let name, let found, let expected):
      "tensor \"\(name)\" has shape \(found), expected \(expected)"
    }
  }
}
