internal import Manager
internal import Model
internal import Scheduler

extension Dispatcher {
  /// A vBERT at its own address, or at the server's where it is named otherwise, as Hugging Face's clients ask a model:
  /// what its task is says what is answered.
  func infer(_ call: HTTPCall) async throws -> Outcome {
    // Nobody is told to send a body for whom there is nobody to answer.
    let namings = call.namings
    if let name = try Naming.agreed(namings, of: call.caller.tenant.name) {
      _ = try await find(name, call.caller)
    }
    let value = try await read(call) { try JSONValue(body: $0) }
    let name = try call.vbertName(inBody: PipelineBody.vbertName(in: value))
    let vbert = try await find(name, call.caller)
    let task = vbert.spec.task
    let path = namings.contains { $0.place == .path } ? "/m/\(vbert.name)" : "/"
    var body = try await work(call.caller, bytes: call.caller.memory.size) { _ in
      try PipelineBody(value, for: task, path: path)
    }
    body.vbertName = name
    switch body {
    case .embed(let body): return try await embed(body, call.caller)
    case .similarity(let body): return try await similarity(body, call.caller)
    case .labels(let body): return try await predict(body, call.caller)
    case .tags(let body): return try await tag(body, call.caller)
    }
  }
}
