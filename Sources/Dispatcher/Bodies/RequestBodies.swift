internal import Model

/// A route's body: who is asked, about what, and how. Every member that a route honours is read here,
/// whatever its dialect calls it.
protocol RequestBody: Sendable {
  static var dialect: Dialect { get }
  /// Who is asked: as the body says it, until the rest of the request is heard too.
  var vbertName: String? { get set }
  /// Throws `APIError`.
  init(_ members: Members) throws(APIError)
  /// Of a route that speaks several: the one that this body is in.
  static func dialect(of value: JSONValue) -> Dialect
}

extension RequestBody {
  static func dialect(of value: JSONValue) -> Dialect { dialect }

  /// `path`: what the route is called where it is not what its dialect is named after. Throws `APIError`.
  init(json bytes: [UInt8], at path: String? = nil) throws(APIError) {
    try self.init(JSONValue(body: bytes), at: path)
  }

  /// The same of what was read before. Throws `APIError`.
  init(_ value: JSONValue, at path: String? = nil) throws(APIError) {
    let dialect = Self.dialect(of: value)
    try self.init(Members(value, dialect.at(path ?? dialect.path)))
  }
}

extension JSONValue {
  /// Throws `APIError`.
  init(body bytes: [UInt8]) throws(APIError) {
    do throws(JSONProblem) { try self.init(bytes, deepest: JSONProblem.deepestBody) } catch {
      throw error.ofBody
    }
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
  var vbertName: String?
  let inputs: PredictInputs
  let reading: Reading
  let function: ScoreFunction?
  /// So many labels, the best ones.
  let topK: Int?
  /// Of a tagger.
  let tagging: Tagging
  private let members: Members

  init(_ members: Members) throws(APIError) {
    try self.init(members, PredictInputs.expected) { PredictInputs($0) }
  }

  /// Inputs that are written in a way of their own.
  init(
    _ members: Members, _ expected: String, _ read: (JSONValue) -> PredictInputs?
  ) throws(APIError) {
    vbertName = try members.vbertName()
    inputs = try members.need("inputs", expected, read)
    guard inputs.items.allSatisfy({ 1...2 ~= $0.count }) else {
      throw .invalid("one text or a pair of two an item was expected", param: "inputs")
    }
    reading = try Reading(members)
    function = try ScoreFunction.asked(members)
    topK = try members.count("top_k")
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
  var vbertName: String?
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

struct ClassifyBody: RequestBody {
  static var dialect: Dialect { .classify }
  var vbertName: String?
  let input: Texts
  let reading: Reading
  let function: ScoreFunction?
  /// infinity's answer is wanted, not vLLM's, which does not know `raw_scores`.
  let isInfinity: Bool

  init(_ members: Members) throws(APIError) {
    vbertName = try members.vbertName()
    isInfinity = members.find("raw_scores") != nil
    input = try members.input()
    reading = try Reading(members)
    function = try ScoreFunction.asked(members)
  }
}
