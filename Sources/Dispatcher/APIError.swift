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
  /// No text.
  case empty
  /// One of the texts.
  case emptyText(index: Int)
  case batchTooLarge(count: Int, most: Int)
  case bodyTooLarge(most: Int)
  /// `tokens` is a lower bound where it is not exact: so far they were counted.
  case tooLong(tokens: Int, isExact: Bool, most: Int, index: Int)
  /// A text that has none, read without special tokens.
  case noTokens(index: Int)
  /// /tokenize would answer more than this.
  case tooManyTokens(most: Int)
  /// Of the tenant's own limits.
  case overQuota(limit: String, retryAfter: Int)
  /// The bodies of this tenant's requests, or everybody's, take all the memory there is for them.
  case memoryFull(tenant: Bool)
  case unknownModel(String)
  /// Something else that is not there, in a sentence of its own.
  case notFound(String)
  /// What stands against a change.
  case conflict(String)
  case untrained(String)
  case wrongTask(String)
  /// A pair where the vBERT learnt from texts, or a text where it learnt from pairs.
  case otherInput(String, learnt: InputKind)
  case unauthorized(KeyProblem)
  /// A key's label, its scopes, and the one that it would need.
  case forbidden(key: String, has: [String], needs: String)
  /// The routes that there are.
  case noRoute(known: String)
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
    // The connection was closed on who did not send, or is gone.
    case is CancellationError: self = .serving(.cancelled)
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
    case .emptyText(let index): "text \(index) is empty: leave it out, or give it words"
    case .batchTooLarge(let count, let most):
      "\(count) texts in one request; at most \(most) are possible: send several requests"
    case .bodyTooLarge(let most):
      "the body has more than \(most) bytes: send several requests"
    case .tooManyTokens(let most):
      "the texts have more than \(most) tokens together: send several requests"
    case .overQuota(let limit, let seconds):
      "this tenant's limit of \(limit) is reached; try again in \(seconds) s"
    case .memoryFull(let tenant):
      (tenant ? "this tenant's requests hold" : "requests hold")
        + " all the memory that there is for bodies (--body-memory); try again in 1 s"
    case .tooLong(let tokens, let isExact, let most, let index):
      "text \(index) has \(isExact ? "" : "more than ")\(tokens) tokens, special tokens included; this vBERT takes \(most): "
        + "shorten it, or let it be cut with \"truncate\": true"
    case .noTokens(let index):
      "text \(index) has no tokens; without special tokens nothing of it is left to read"
    case .unknownModel(let name): "there is no vBERT named \(name)"
    case .notFound(let what), .conflict(let what): what
    case .untrained(let name): "\(name) has no version yet: train it first"
    case .wrongTask(let what): what
    case .otherInput(let name, .text):
      "\(name) learnt from single texts, and this is a pair; two texts are written [[\"a\"], [\"b\"]]"
    case .otherInput(let name, .pair):
      "\(name) learnt from pairs, and this is a single text; ask /predict, where a pair is written "
        + "[\"a\", \"b\"], several [[\"a\", \"b\"], [\"c\", \"d\"]]"
    case .unauthorized(let problem): problem.words
    case .forbidden(let key, let has, let needs):
      "the key \(key) may \(has.joined(separator: ", ")); this needs \(needs): ask with a key of that scope"
    case .noRoute(let known): "there is nothing at this path; the routes are \(known)"
    case .otherMethod(let allowed): "this path takes \(allowed)"
    case .host: "the request needs one Host field, as HTTP/1.1 has it (RFC 9112, 3.2)"
    case .packed(let how):
      "Content-Encoding: \(clipped(how)) is not read; send the body as it is, or as gzip"
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
    case .serving(.overloaded(_, let seconds)), .overQuota(_, let seconds): seconds
    case .serving(.timedOut), .serving(.stopping), .serving(.dropped), .serving(.hung),
      .unhealthy, .memoryFull:
      1
    default: nil
    }
  }

  var param: String? {
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
  /// KServe, Triton.
  case kserve
}
