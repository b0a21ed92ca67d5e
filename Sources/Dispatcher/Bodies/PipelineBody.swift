internal import Model

/// What clients of Hugging Face's inference send to a model's own address: `inputs` and `parameters`, to be read by
/// what the vBERT is for.
enum PipelineBody: Sendable {
  case embed(EmbedBody)
  case similarity(SimilarityBody)
  case labels(PredictBody)
  case tags(TagBody)

  /// Throws `APIError`.
  init(_ value: JSONValue, for task: VBertTask, path: String) throws(APIError) {
    func members(_ dialect: Dialect) throws(APIError) -> Members {
      try Members(value, dialect.at(path))
    }
    switch task {
    case .embed where value["inputs"]?.kind == .object:
      self = .similarity(try SimilarityBody(members(.similarity)))
    case .embed: self = .embed(try EmbedBody(members(.embed)))
    case .classify, .multilabel, .score:
      self = .labels(
        try PredictBody(
          members(.predict), PredictInputs.expectedOfPipelines, PredictInputs.init(pipeline:)))
    case .tag: self = .tags(try TagBody(members(.tag)))
    }
  }

  /// Whom a body asks, before its task says how the rest is to be read.
  static func vbertName(in value: JSONValue) -> String? {
    value["adapter_id"]?.text ?? value["model"]?.text
  }

  /// Whom it asks.
  var vbertName: String? {
    get {
      switch self {
      case .embed(let body): body.vbertName
      case .similarity(let body): body.vbertName
      case .labels(let body): body.vbertName
      case .tags(let body): body.vbertName
      }
    }
    set {
      switch self {
      case .embed(var body):
        body.vbertName = newValue
        self = .embed(body)
      case .similarity(var body):
        body.vbertName = newValue
        self = .similarity(body)
      case .labels(var body):
        body.vbertName = newValue
        self = .labels(body)
      case .tags(var body):
        body.vbertName = newValue
        self = .tags(body)
      }
    }
  }
}

extension PredictInputs {
  static let expectedOfPipelines =
    "a text, a pair {\"text\", \"text_pair\"} or a list of these"

  /// As text classification of Hugging Face has them: a list of texts is several texts, never a pair, and the answer
  /// is a list even for one.
  init?(pipeline value: JSONValue) {
    guard let one = Self.item(value) else {
      guard let items = value.list, let all = Self.all(items) else { return nil }
      self.init(items: all, isSingle: false)
      return
    }
    self.init(items: [one], isSingle: false)
  }

  private static func all(_ values: [JSONValue]) -> [[String]]? {
    var items: [[String]] = []
    for value in values {
      guard let item = item(value) ?? value.texts else { return nil }
      items.append(item)
    }
    return items
  }

  private static func item(_ value: JSONValue) -> [String]? {
    if let text = value.text { return [text] }
    guard let members = value.members, let text = value["text"]?.text,
      members.allSatisfy({ ["text", "text_pair"].contains($0.name) })
    else { return nil }
    guard let pair = value["text_pair"] else { return [text] }
    return pair.text.map { [text, $0] }
  }
}
