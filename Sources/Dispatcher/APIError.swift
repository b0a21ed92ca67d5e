internal import HTTPTypes
internal import Hummingbird
internal import Manager
internal import Model
internal import Scheduler

/// What a client is told when something is wrong: one list for all families of routes, each of which
/// has a status and a shape of its own for it.
enum APIError: Error {
  /// Not JSON, or JSON of another shape.
  case malformed(String)
  /// A value that is not possible; the member's name.
  case invalid(String, param: String)
  /// A member that is not honoured, in a sentence of its own.
  case refused(String, param: String)
  /// A member that is needed; the one that was perhaps meant to be it, at that path.
  case missing(String, butNot: String?, path: String)
  /// Not one text.
  case empty
  /// One of the texts, both texts of a pair, or a list of words.
  case emptyText(index: Int)
  case batchTooLarge(count: Int, most: Int)
  case bodyTooLarge(most: Int)
  /// `tokens` is a lower bound where it is not exact: so far they were counted.
  case tooLong(tokens: Int, isExact: Bool, most: Int, index: Int)
  /// A text that has none, read without special tokens.
  case noTokens(index: Int)
  /// /tokenize would answer more than this.
  case tooManyTokens(most: Int)
  /// The bodies of this tenant's requests, or everybody's, take all the memory there is for them.
  case memoryFull(tenant: Bool)
  case unknownModel(String)
  case untrained(String)
  case wrongTask(String)
  /// A pair where the vBERT learnt from texts, or a text where it learnt from pairs.
  case otherInput(String, learnt: InputKind)
  case unauthorized(KeyProblem)
  case noRoute
  case otherMethod(allowed: String)
  /// No Host field, or several.
  case host
  /// Of the Expect field.
  case expectation(String)
  /// A body that is packed.
  case packed(String)
  case unhealthy(String)
  case serving(ServingError)
  /// What a vBERT stands on is not as it should be: what its tenant is told, and what the log is.
  case unservable(String, log: String)
  /// Ours; the client learns no more.
  case internalError

  /// Anything thrown on the way of a request.
  init(_ error: any Error) {
    switch error {
    case let error as APIError: self = error
    case let error as ServingError: self = .serving(error)
    default: self = .internalError
    }
  }

  var message: String {
    switch self {
    case .malformed(let why): "the body is not what this route takes: \(why)"
    case .invalid(let why, let param): "\(param): \(why)"
    case .refused(let what, _): what
    case .missing(let name, nil, _): "\(name): it is missing"
    case .missing(let name, let other?, let path):
      "\(name) is missing; \(clipped(other)) is not a member of \(path): did you mean \(name)?"
    case .empty: "there is nothing to do: give one text at least"
    case .emptyText(let index): "text \(index) is empty: give it something to read, or leave it out"
    case .batchTooLarge(let count, let most):
      "\(count) texts in one request; at most \(most) are possible: send several requests"
    case .bodyTooLarge(let most):
      "the body has more than \(most) bytes: send several requests"
    case .tooManyTokens(let most):
      "the texts have more than \(most) tokens together: send several requests"
    case .memoryFull(let tenant):
      (tenant ? "this tenant's requests hold" : "requests hold")
        + " all the memory that there is for bodies (--body-memory); try again in 1 s"
    case .tooLong(let tokens, let isExact, let most, let index):
      "text \(index) has \(isExact ? "" : "more than ")\(tokens) tokens, special tokens included; this vBERT takes \(most): "
        + "shorten it, or let it be cut with \"truncate\": true"
    case .noTokens(let index):
      "text \(index) has no tokens; without special tokens nothing of it is left to read"
    case .unknownModel(let name): "there is no vBERT named \(name)"
    case .untrained(let name): "\(name) has no version yet: train it first"
    case .wrongTask(let what): what
    case .otherInput(let name, .text):
      "\(name) learnt from single texts, and this is a pair; two texts are written [[\"a\"], [\"b\"]]"
    case .otherInput(let name, .pair):
      "\(name) learnt from pairs, and this is a single text; ask /predict, where a pair is written "
        + "[\"a\", \"b\"], several [[\"a\", \"b\"], [\"c\", \"d\"]]"
    case .unauthorized(let problem): problem.words
    case .noRoute: "there is nothing at this path"
    case .otherMethod(let allowed): "this path takes \(allowed)"
    case .host: "the request needs one Host field, as HTTP/1.1 has it (RFC 9112, 3.2)"
    case .packed(let how):
      "Content-Encoding: \(clipped(how)) is not read; send the body as it is"
    case .expectation(let what): "Expect: \(clipped(what)) is not understood; 100-continue is"
    case .unhealthy(let why): Self.told(why) ?? "the server is not well; its log says why"
    case .serving(.vbert(let name, let why)):
      "\(name) cannot be served: "
        + (Self.told(why)
          ?? "what is stored of it, or its base, is damaged or missing; \(Self.operators)")
    case .serving(.compute(let why)):
      "the computation failed: " + (Self.told(why) ?? "the device or a table; \(Self.operators)")
    case .serving(let error): error.description
    case .unservable(let told, _): told
    case .internalError: "something went wrong here; the server's log says more"
    }
  }

  /// Seconds after which another try is worth it.
  var retryAfter: Int? {
    switch self {
    case .serving(.overloaded(_, let seconds)): seconds
    case .serving(.timedOut), .serving(.stopping), .serving(.dropped), .serving(.hung),
      .unhealthy, .memoryFull:
      1
    default: nil
    }
  }

  private var param: String? {
    switch self {
    case .invalid(_, let param), .refused(_, let param), .missing(let param, _, _): param
    case .otherInput: "input"
    case .unknownModel, .untrained, .wrongTask: "model"
    case .tooLong, .tooManyTokens, .noTokens, .empty, .emptyText, .batchTooLarge: "input"
    default: nil
    }
  }
}

/// Whose clients a route speaks to: they differ in statuses and in the shape of errors.
enum Family: Sendable {
  /// Text Embeddings Inference.
  case tei
  /// OpenAI, vLLM, infinity.
  case openAI
}

extension APIError {
  func status(_ family: Family) -> HTTPResponse.Status {
    let isTEI = family == .tei
    return switch self {
    case .malformed, .empty, .emptyText, .host: .badRequest
    case .invalid, .refused, .missing, .noTokens, .wrongTask, .otherInput:
      isTEI ? .unprocessableContent : .badRequest
    case .batchTooLarge, .bodyTooLarge, .tooManyTokens: .contentTooLarge
    case .tooLong, .serving(.tooLong): isTEI ? .contentTooLarge : .badRequest
    case .unknownModel, .noRoute: .notFound
    case .untrained: .conflict
    case .otherMethod: .methodNotAllowed
    case .packed: .unsupportedMediaType
    case .expectation: .expectationFailed
    case .unauthorized: .unauthorized
    case .serving(.overloaded), .memoryFull(tenant: true): .tooManyRequests
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
      .host, .serving(.tooLong):
      "Validation"
    case .unknownModel, .untrained, .noRoute, .otherMethod: "NotFound"
    case .unauthorized: "Unauthorized"
    case .serving(.overloaded), .serving(.timedOut), .memoryFull: "Overloaded"
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
    case .serving(.overloaded), .serving(.timedOut), .memoryFull:
      ("rate_limit_error", "rate_limit_exceeded")
    case .serving, .unservable, .unhealthy, .internalError: ("server_error", nil)
    default: ("invalid_request_error", nil)
    }
  }

  func response(_ family: Family) -> Response {
    var writer = JSONWriter()
    writer.object { object in
      switch family {
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
    var headers: HTTPFields = [:]
    if let retryAfter { headers[.retryAfter] = String(retryAfter) }
    if case .unauthorized = self { headers[.wwwAuthenticate] = "Bearer" }
    if case .otherMethod(let allowed) = self { headers[.allow] = allowed }
    return Response(json: writer, status: status(family), headers: headers)
  }
}

extension Response {
  init(json: JSONWriter, status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]) {
    var headers = headers
    headers[.contentType] = "application/json"
    self.init(
      status: status, headers: headers,
      body: ResponseBody(byteBuffer: ByteBuffer(bytes: json.bytes)))
  }
}
