internal import Compute
internal import Foundation
internal import Manager
package import Model

/// What a checkpoint belongs to: it goes on only where all of it is the same.
package struct DistillationOrigin: Sendable, Equatable, Codable {
  /// Content hash of the teacher.
  package var teacher: String
  package var depth: Int
  package var options: DistillationOptions

  package init(teacher: String, depth: Int, options: DistillationOptions) {
    (self.teacher, self.depth, self.options) = (teacher, depth, options)
  }
}

extension Distillation {
  private static let format: String = "vbert-distillation-2"
  /// Without a hash.
  private static let olderFormat: String = "vbert-distillation-1"

  /// Writes parameters, AdamW's moments and the run's state; whole or not at all.
  package func save(to path: String, origin: DistillationOrigin) throws {
    let (parameters, backend) = (student.parameters, student.backend)
    var tensors: [SafetensorsTensor] = []
    for (name, shape) in parameters.shapes {
      let state = parameters.optimizerState(of: name)
      for (kind, tensor) in Distillation.kinds(state) {
        tensors.append(
          SafetensorsTensor(
            name: "\(kind).\(name)", shape: shape, floats: try backend.download(tensor)))
      }
    }
    try SealedTensors.write(
      tensors, format: Distillation.format,
      metadata: [
        "origin": try Distillation.text(origin), "state": try Distillation.text(state),
      ], to: path)
  }

  /// Goes on where `save` was called. Throws `CheckpointError`, `SealError` for a file that is damaged,
  /// and what reading throws; then this run must not be used.
  package func resume(from path: String, origin: DistillationOrigin) throws {
    guard
      let file = try SealedTensors.open(
        path, format: Distillation.format, older: Distillation.olderFormat),
      let saved = file.metadata["origin"], let state = file.metadata["state"]
    else { throw CheckpointError.noCheckpoint(path: path) }
    guard
      try JSONDecoder().decode(DistillationOrigin.self, from: Data(saved.utf8)) == origin
    else { throw CheckpointError.another(path: path) }
    for (name, shape) in student.parameters.shapes {
      for (kind, tensor) in Distillation.kinds(student.parameters.optimizerState(of: name)) {
        try student.backend.upload(try file.floats("\(kind).\(name)", shape: shape), to: tensor)
      }
    }
    self.state = try JSONDecoder().decode(State.self, from: Data(state.utf8))
  }

  private static func kinds(_ state: AdamWState) -> [(String, Tensor)] {
    [("value", state.value), ("mean", state.mean), ("square", state.square)]
  }

  private static func text(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }

  /// The student's tensors under Hugging Face's names, without the word embeddings.
  package func tensors() throws -> MemoryTensors {
    var tensors = MemoryTensors()
    for (name, shape) in student.parameters.shapes {
      let values = try student.parameters.value(of: name)
      guard let stacked = name.range(of: ".self.qkv.") else {
        tensors.set(name, shape: shape, values)
        continue
      }
      for (i, part) in ["query", "key", "value"].enumerated() {
        tensors.set(
          name.replacingCharacters(in: stacked, with: ".self.\(part)."),
          shape: [shape[0] / 3] + shape.dropFirst(),
          Array(values[i * values.count / 3..<(i + 1) * values.count / 3]))
      }
    }
    return tensors
  }
}

/// What can be wrong with a checkpoint.
package enum CheckpointError: Error, Equatable, CustomStringConvertible {
  case noCheckpoint(path: String)
  case another(path: String)

  package var description: String {
    switch self {
    case .noCheckpoint(let path): "\(path) is no checkpoint of vbert distill; leave --resume out"
    case .another(let path):
      "\(path) belongs to a run with another base, depth or options; "
        + "give the same ones, or leave --resume out"
    }
  }
}
