/// What a route answers, whatever protocol asked.
struct Outcome: Sendable {
  enum Body: Sendable {
    case json(JSONWriter)
    /// Written as the peer takes them.
    case pieces(any JSONPieces)
    case text(String, type: String)
    case stream(ByteStream)
    /// JSON, and the bytes of tensors that it describes.
    case tensors(JSONWriter, [UInt8])
  }

  let body: Body
  /// What is told beside it.
  let fields: [(AnswerField, String)]

  init(_ json: JSONWriter, _ fields: [(AnswerField, String)] = []) {
    (body, self.fields) = (.json(json), fields)
  }

  init(_ pieces: some JSONPieces, _ fields: [(AnswerField, String)] = []) {
    (body, self.fields) = (.pieces(pieces), fields)
  }

  init(_ stream: ByteStream) { (body, fields) = (.stream(stream), []) }

  init(tensors json: JSONWriter, _ bytes: [UInt8], _ fields: [(AnswerField, String)]) {
    (body, self.fields) = (.tensors(json, bytes), fields)
  }

  init(text: String, type: String) { (body, fields) = (.text(text, type: type), []) }
}

/// What is told beside an answer, by the names that Text Embeddings Inference has for it, and ours.
enum AnswerField: String, CaseIterable {
  case computeType = "x-compute-type"
  case computeTokens = "x-compute-tokens"
  case totalTime = "x-total-time"
  case tokenizationTime = "x-tokenization-time"
  case queueTime = "x-queue-time"
  case lookupTime = "x-lookup-time"
  case inferenceTime = "x-inference-time"
  case hitRate = "x-plot-hit-rate"
  case version = "x-vbert-version"
}
