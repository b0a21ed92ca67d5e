internal import Manager
internal import Model
internal import Scheduler

/// What the Open Inference Protocol tells of the server and of vBERTs.
extension Dispatcher {
  func inferServer() -> Outcome {
    var writer = JSONWriter()
    writer.object { object in
      object.member("name", "vbert")
      object.member("version", about.version)
      object.key("extensions")
      object.array { $0.string("binary_tensor_data") }
    }
    return Outcome(writer)
  }

  func inferLive() -> Outcome { Outcome(flag: "live") }

  /// Throws `APIError.unhealthy`.
  func inferReady() throws -> Outcome {
    _ = try health()
    return Outcome(flag: "ready")
  }

  /// Whether it is there, and has a version that answers.
  func inferReady(_ name: String, _ caller: Caller) async throws -> Outcome {
    _ = try await find(name, caller)
    return Outcome(flag: "ready")
  }

  func inferModel(_ name: String, _ caller: Caller) async throws -> Outcome {
    let vbert = try await find(name, caller)
    let (spec, hidden) = (
      vbert.spec, try await pin(vbert, caller).base.configuration.hiddenSize
    )
    var writer = JSONWriter()
    writer.object { object in
      object.member("name", vbert.name)
      object.key("versions")
      object.array { $0.string(String(vbert.id.number)) }
      object.member("platform", "vbert")
      object.key("inputs")
      object.array { list in
        list.tensor("text", "BYTES", [-1])
        if [.classify, .multilabel, .score].contains(spec.task), spec.input != .text {
          list.tensor("text_pair", "BYTES", [-1], isOptional: spec.input != .pair)
        }
      }
      object.key("outputs")
      object.array { list in
        switch spec.task {
        case .embed: list.tensor("embedding", "FP32", [-1, hidden])
        case .tag: list.tensor("tags", "BYTES", [-1])
        case .score: list.tensor("scores", "FP32", [-1, 1])
        case .classify, .multilabel:
          list.tensor("label", "BYTES", [-1])
          list.tensor("scores", "FP32", [-1, spec.labels.count])
        }
      }
      object.key("labels")
      object.array { list in for label in spec.labels { list.string(label) } }
    }
    return Outcome(writer)
  }
}

extension Outcome {
  fileprivate init(flag name: String) {
    var writer = JSONWriter()
    writer.object { $0.member(name, true) }
    self.init(writer)
  }
}

extension JSONWriter {
  fileprivate mutating func tensor(
    _ name: String, _ datatype: String, _ shape: [Int], isOptional: Bool = false
  ) {
    object { tensor in
      tensor.member("name", name)
      tensor.member("datatype", datatype)
      tensor.key("shape")
      tensor.array { sides in for side in shape { sides.number(side) } }
      if isOptional { tensor.member("optional", true) }
    }
  }
}
