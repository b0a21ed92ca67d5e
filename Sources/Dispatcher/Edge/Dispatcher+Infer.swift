internal import HTTPTypes
internal import Hummingbird
internal import Model

extension Dispatcher {
  /// The Open Inference Protocol v2, as KServe and Triton speak it.
  var inferring: [Route] {
    let models = ["/v2/models/:vbert", "/v2/models/:vbert/versions/:version"]
    return [
      Route(.get, "/v2", .kserve, isOpen: true) { _ in inferServer() },
      Route(.get, "/v2/health/live", .kserve, isOpen: true) { _ in inferLive() },
      Route(.get, "/v2/health/ready", .kserve, isOpen: true) { _ in try inferReady() },
    ]
      + models.flatMap { path in
        [
          Route(.get, path, .kserve) { call in
            try await inferModel(call.versionedName(), call.caller)
          },
          Route(.get, "\(path)/ready", .kserve) { call in
            try await inferReady(call.versionedName(), call.caller)
          },
          Route(.post, "\(path)/infer", .kserve) { call in
            let (name, length) = (try call.versionedName(), try call.headerBytes())
            let request = try await read(call) { try InferRequest($0, headerBytes: length) }
            return try await infer(request, name, call.caller)
          },
        ]
      }
  }
}

extension HTTPCall {
  /// `mood`, or with a version in the path `mood@4`. Throws `APIError.refused`.
  fileprivate func versionedName() throws(APIError) -> String {
    let name = try vbertName() ?? ""
    return context.parameters.get("version").map { "\(name)@\($0)" } ?? name
  }

  /// How much of the body is JSON, where tensors follow it. Throws `APIError.malformed`.
  fileprivate func headerBytes() throws(APIError) -> Int? {
    guard let text = request.headers[.inferenceHeaderLength] else { return nil }
    guard let count = Int(text), count >= 0 else {
      throw .malformed("Inference-Header-Content-Length: \(clipped(text)) is no length")
    }
    return count
  }
}

extension HTTPField.Name {
  static let inferenceHeaderLength: HTTPField.Name = {
    guard let name = HTTPField.Name("Inference-Header-Content-Length") else {
      preconditionFailure("no field's name")
    }
    return name
  }()
}
