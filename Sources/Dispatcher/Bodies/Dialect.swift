internal import Model

/// What members a route's body may have. A member changes the answer and is honoured, or cannot change it
/// and is let be, or is refused by its name: no answer is silently another than the one asked for.
///
/// `null` is as if the member were not there. What is honoured may also stand in `parameters`, as Hugging
/// Face's clients send it.
struct Dialect: Sendable {
  /// The route's path.
  let path: String
  /// What is asked about: needed.
  let inputs: [String]
  /// What else is honoured.
  let honoured: [String]

  /// Who is asked, in any route.
  static let names = ["model", "adapter_id"]
  /// How texts are read: what becomes of those that are too long.
  private static let reading = [
    "truncate", "truncation", "truncation_direction", "truncation_side", "truncate_prompt_tokens",
  ]
  /// Whether a function is applied to what the head says.
  private static let activation = ["raw_scores", "use_activation", "activation", "softmax"]

  static let embed = Dialect("/embed", ["inputs"], reading + ["normalize", "dimensions"])
  static let predict = Dialect(
    "/predict", ["inputs"],
    reading + activation + ["function_to_apply", "top_k", "aggregation_strategy", "ignore_labels"])
  static let tag = Dialect("/tag", ["inputs"], reading + ["aggregation_strategy", "ignore_labels"])
  static let rerank = Dialect(
    "/rerank", ["query", "texts"], reading + activation + ["return_text"])
  /// Cohere's.
  static let ranking = Dialect(
    "/v1/rerank", ["query", "documents"],
    reading + activation + ["top_n", "top_k", "return_documents"])
  static let similarity = Dialect("/similarity", ["inputs"], reading)
  static let tokenize = Dialect("/tokenize", ["inputs"], ["add_special_tokens"])
  static let embeddings = Dialect(
    "/v1/embeddings", ["input"],
    reading + ["dimensions", "encoding_format", "normalize", "add_special_tokens"])
  static let classify = Dialect(
    "/classify", ["input"],
    reading + activation + ["function_to_apply", "add_special_tokens"])

  /// What may stand in `parameters` of the Open Inference Protocol: members of the task's own route.
  static func infer(_ task: VBertTask, at path: String) -> Dialect {
    let own =
      switch task {
      case .embed: ["normalize", "dimensions"]
      case .classify, .multilabel, .score: activation + ["function_to_apply"]
      case .tag: ["aggregation_strategy", "ignore_labels"]
      }
    return Dialect(path, [], reading + own)
  }

  /// docs/openapi.yaml is held against this list.
  static let all = [
    embed, predict, tag, rerank, ranking, similarity, tokenize, embeddings, classify,
  ]

  /// The same members at another path.
  func at(_ path: String) -> Dialect { Dialect(path, inputs, honoured) }

  init(_ path: String, _ inputs: [String], _ honoured: [String]) {
    (self.path, self.inputs, self.honoured) = (path, inputs, honoured)
  }
}

extension Dialect {
  /// One member as it was given; never null.
  struct Given {
    let name: String
    /// Its name, or `parameters.` and its name.
    let path: String
    let value: JSONValue
  }

  /// Throws `APIError` for the first member that is neither honoured nor harmless, and for what is needed
  /// and not there. `given` are the members of the body, and then those of its `parameters`.
  func check(_ given: [Given], inParameters parameters: [Given]) throws(APIError) {
    let missing = inputs.first { name in !given.contains { $0.name == name } }
    // Among the first ones: nobody means one of thousands.
    if let missing, let meant = given.prefix(32).first(where: { isMeant($0.name, for: missing) }) {
      throw .missing(missing, butNot: meant.name, path: path)
    }
    for one in given { try check(one, isTop: true) }
    for one in parameters {
      try check(one, isTop: false)
      guard !given.contains(where: { $0.name == one.name }) else {
        throw .refused(
          "\(one.name) is given twice, as \(one.name) and as \(one.path): say it once",
          param: one.path)
      }
    }
    if let missing { throw .missing(missing, butNot: nil, path: path) }
  }

  private func check(_ one: Given, isTop: Bool) throws(APIError) {
    if honoured.contains(one.name) { return }
    if inputs.contains(one.name) || Self.names.contains(one.name) {
      if isTop { return }
      throw .refused("\(one.path): \(one.name) belongs beside parameters", param: one.path)
    }
    switch Self.others[one.name] {
    case .harmless: return
    case .only(let values, _) where values.contains(where: one.value.equals): return
    case .only(_, let why), .refused(let why):
      throw .refused("\(clipped(one.path)) is not honoured by \(path): \(why)", param: one.path)
    case nil: throw .refused(unknown(one), param: clipped(one.path))
    }
  }

  private func unknown(_ one: Given) -> String {
    let name = clipped(one.path)
    let others = Self.all.filter { $0.honoured.contains(one.name) || $0.inputs.contains(one.name) }
    guard others.isEmpty else {
      return "\(name) has no meaning for \(path); it is a member of "
        + others.map(\.path).joined(separator: ", ")
    }
    let known = inputs + Self.names + honoured
    if let near = nearest(one.name, among: known) {
      return "\(name) is not a member of \(path): did you mean \(near)?"
    }
    return "\(name) is not a member of \(path), which has: " + known.joined(separator: ", ")
  }

  /// Whether who wrote `name`, which is no member here, probably meant the missing `input`.
  private func isMeant(_ name: String, for input: String) -> Bool {
    if inputs.contains(name) || Self.names.contains(name) || honoured.contains(name) {
      return false
    }
    return Self.otherWords[input]?.contains(name) ?? false
      || nearest(name, among: [input]) != nil
  }

  /// What other servers, and people, call it.
  private static let otherWords: [String: [String]] = {
    let texts = [
      "text", "texts", "sentence", "sentences", "prompt", "prompts", "document", "documents",
      "passage", "passages", "content", "contents", "data", "query", "queries",
    ]
    return [
      "inputs": texts + ["input"], "input": texts + ["inputs"],
      "texts": texts + ["input", "inputs", "docs"],
      "query": ["question", "queries", "q", "source_sentence", "text", "input", "inputs"],
    ]
  }()

  /// The name that differs from this one by a slip of the pen.
  private func nearest(_ name: String, among known: [String]) -> String? {
    guard name.utf8.count <= 40 else { return nil }
    let word = Array(name.lowercased().utf8)
    let distances = known.map { (name: $0, distance: Self.edits(word, Array($0.utf8))) }
    guard let best = distances.min(by: { $0.distance < $1.distance }),
      best.distance <= min(2, best.name.utf8.count / 3)
    else { return nil }
    return best.name
  }

  /// Letters to insert, remove or change (Levenshtein).
  private static func edits(_ a: [UInt8], _ b: [UInt8]) -> Int {
    var row = Array(0...b.count)
    for (i, letter) in a.enumerated() {
      var diagonal = row[0]
      row[0] = i + 1
      for j in b.indices {
        let next = min(row[j] + 1, row[j + 1] + 1, diagonal + (letter == b[j] ? 0 : 1))
        diagonal = row[j + 1]
        row[j + 1] = next
      }
    }
    return row[b.count]
  }
}
