/// The function between what a head says and what is answered, as a request asks for it.
enum ScoreFunction: String, OneOf, Sendable {
  case none, sigmoid, softmax
}

extension ScoreFunction {
  /// nil where the request leaves it to the task. `raw_scores` (Text Embeddings Inference) and
  /// `use_activation` (vLLM, in older versions `activation` and `softmax`) say whether, and
  /// `function_to_apply` (Hugging Face) which. Throws `APIError` where they contradict each other.
  static func asked(_ members: Members) throws(APIError) -> ScoreFunction? {
    let named = try members.word("function_to_apply", as: ScoreFunction.self)
    var whether: [(name: String, applies: Bool)] = []
    if let named { whether.append(("function_to_apply", named != .none)) }
    if let raw = try members.flag("raw_scores") { whether.append(("raw_scores", !raw)) }
    for name in ["use_activation", "activation", "softmax"] {
      if let applies = try members.flag(name) { whether.append((name, applies)) }
    }
    for one in whether.dropFirst() where one.applies != whether[0].applies {
      throw .contradiction(whether[0].name, one.name)
    }
    if let named { return named }
    return whether.first?.applies == false ? ScoreFunction.none : nil
  }
}
