internal import HTTPTypes
internal import Hummingbird
internal import Scheduler

extension APIError {
  func status(_ family: Family) -> HTTPResponse.Status {
    let isTEI = family == .tei
    return switch self {
    case .malformed, .empty, .emptyText, .host: .badRequest
    case .invalid, .refused, .missing, .noTokens, .wrongTask, .otherInput:
      isTEI ? .unprocessableContent : .badRequest
    case .batchTooLarge, .bodyTooLarge, .tooManyTokens: .contentTooLarge
    case .tooLong, .serving(.tooLong): isTEI ? .contentTooLarge : .badRequest
    case .unknownModel, .notFound, .noRoute: .notFound
    case .untrained, .conflict: .conflict
    case .otherMethod: .methodNotAllowed
    case .packed: .unsupportedMediaType
    case .expectation: .expectationFailed
    case .unauthorized: .unauthorized
    case .forbidden: .forbidden
    case .serving(.overloaded), .memoryFull(tenant: true), .overQuota: .tooManyRequests
    case .unhealthy, .memoryFull, .serving(.timedOut), .serving(.stopping), .serving(.dropped),
      .serving(.cancelled), .serving(.hung):
      .serviceUnavailable
    case .serving(.vbert), .serving(.compute), .serving(.notFinite), .unservable:
      .init(code: 424, reasonPhrase: "Failed Dependency")
    case .internalError: .internalServerError
    }
  }

  /// Text Embeddings Inference's error_type.
  private var teiType: String {
    switch self {
    case .empty, .emptyText: "Empty"
    case .malformed, .invalid, .refused, .missing, .batchTooLarge, .bodyTooLarge, .tooLong,
      .tooManyTokens, .noTokens, .wrongTask, .otherInput, .expectation, .packed,
      .host, .conflict, .serving(.tooLong):
      "Validation"
    case .unknownModel, .notFound, .untrained, .noRoute, .otherMethod: "NotFound"
    case .unauthorized, .forbidden: "Unauthorized"
    case .serving(.overloaded), .serving(.timedOut), .memoryFull, .overQuota: "Overloaded"
    case .unhealthy, .serving(.stopping), .serving(.hung): "Unhealthy"
    case .serving, .unservable, .internalError: "Backend"
    }
  }

  private var openAIType: (type: String, code: String?) {
    switch self {
    case .unknownModel: ("invalid_request_error", "model_not_found")
    case .tooLong, .serving(.tooLong): ("invalid_request_error", "context_length_exceeded")
    case .untrained: ("invalid_request_error", "model_not_ready")
    case .unauthorized: ("invalid_request_error", "invalid_api_key")
    case .forbidden: ("invalid_request_error", "insufficient_permissions")
    case .serving(.overloaded), .serving(.timedOut), .memoryFull, .overQuota:
      ("rate_limit_error", "rate_limit_exceeded")
    case .serving, .unservable, .unhealthy, .internalError: ("server_error", nil)
    default: ("invalid_request_error", nil)
    }
  }

  /// The body that tells of it.
  func json(_ family: Family) -> JSONWriter {
    var writer = JSONWriter()
    writer.object { object in
      switch family {
      case .kserve: object.member("error", message)
      case .tei:
        object.member("error", message)
        object.member("error_type", teiType)
      case .openAI:
        object.key("error")
        object.object { error in
          error.member("message", message)
          error.member("type", openAIType.type)
          error.key("param")
          if let param { error.string(param) } else { error.null() }
          error.key("code")
          if let code = openAIType.code { error.string(code) } else { error.null() }
        }
      }
    }
    return writer
  }

  func response(_ family: Family) -> Response {
    var headers: HTTPFields = [:]
    if let retryAfter { headers[.retryAfter] = String(retryAfter) }
    if case .unauthorized = self { headers[.wwwAuthenticate] = "Bearer" }
    if case .packed = self { headers[.acceptEncoding] = "gzip" }
    if case .otherMethod(let allowed) = self { headers[.allow] = allowed }
    return Response(json: json(family), status: status(family), headers: headers)
  }
}
