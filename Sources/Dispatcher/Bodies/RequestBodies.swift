internal import Model

/// A route's body: who is asked, about what, and how. Every member that a route honours is read here,
/// whatever its dialect calls it.
protocol RequestBody: Sendable {
  static var dialect: Dialect { get }
  /// Throws `APIError`.
  init(_ members: Members) throws(APIError)
}

extension RequestBody {
  /// Throws `APIError`.
  init(json bytes: [UInt8]) throws(APIError) {
    let value: JSONValue
    do throws(JSONProblem) { value = try JSONValue(bytes, deepest: JSONProblem.deepestBody) } catch
    {
      throw error.ofBody
    }
    try self.init(Members(value, Self.dialect))
  }
}

extension Members {
  /// Who is asked; `adapter_id` goes before `model`, which may name its base.
  func vbertName() throws(APIError) -> String? {
    let (adapter, model) = (try text("adapter_id"), try text("model"))
    return adapter ?? model
  }
}

struct PredictBody: RequestBody {
  static var dialect: Dialect { .predict }
  let vbertName: String?
  let inputs: PredictInputs
  let reading: Reading
  let function: ScoreFunction?
  /// So many labels, the best ones.
  let topK: Int?
  /// Of a tagger.
  let tagging: Tagging
  private let members: Members

  init(_ members: Members) throws(APIError) {
    vbertName = try members.vbertName()
    inputs = try members.need("inputs", PredictInputs.expected, PredictInputs.init)
    guard inputs.items.allSatisfy({ 1...2 ~= $0.count }) else {
      throw .invalid("one text or a pair of two an item was expected", param: "inputs")
    }
    reading = try Reading(members)
    function = try ScoreFunction.asked(members)
    topK = try members.wholeNumber("top_k")
    if let topK, topK < 1, let path = members.find("top_k")?.path {
      throw .invalid("a whole number from 1 on was expected", param: path)
    }
    tagging = try Tagging(members)
    self.members = members
  }

  /// Throws `APIError.refused` for a member that this task has no meaning for.
  func check(_ name: String, task: String, isTagger: Bool) throws(APIError) {
    let own = ["aggregation_strategy", "ignore_labels"]
    let others = [
      "function_to_apply", "top_k", "raw_scores", "use_activation", "activation", "softmax",
    ]
    for member in isTagger ? others : own {
      guard let one = members.find(member) else { continue }
      // A client that always says that it wants probabilities gets them.
      if member == "raw_scores", one.value.flag == false { continue }
      throw .refused(
        "\(one.path) has no meaning for \(name), a vBERT for \(task)", param: one.path)
    }
  }
}

struct TagBody: RequestBody {
  static var dialect: Dialect { .tag }
  let vbertName: String?
  let inputs: TagInputs
  let reading: Reading
  let tagging: Tagging

  init(_ members: Members) throws(APIError) {
    vbertName = try members.vbertName()
    inputs = try members.need("inputs", TagInputs.expected, TagInputs.init)
    reading = try Reading(members)
    tagging = try Tagging(members)
  }
}

struct RerankBody: RequestBody {
  static var dialect: Dialect { .rerank }
  let vbertName: String?
  let query: String
  let texts: [String]
  let reading: Reading
  /// The head's outputs instead of their sigmoids.
  let raw: Bool
  let returnsText: Bool

  init(_ members: Members) throws(APIError) {
    vbertName = try members.vbertName()
    query = try members.need("query", "text") { $0.text }
    texts = try members.need("texts", "a list of texts") { $0.texts }
    reading = try Reading(members)
    raw = try ScoreFunction.asked(members) == ScoreFunction.none
    returnsText = try members.flag("return_text") ?? false
  }
}

struct ClassifyBody: RequestBody {
  static var dialect: Dialect { .classify }
  let vbertName: String?
  let input: Texts
  let reading: Reading
  let function: ScoreFunction?

  init(_ members: Members) throws(APIError) {
    vbertName = try members.vbertName()
    input = try members.need("input", Texts.expected, Texts.init)
    reading = try Reading(members)
    function = try ScoreFunction.asked(members)
  }
}
