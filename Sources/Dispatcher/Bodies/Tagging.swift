/// How a tagger's answer is made of what it says of tokens: Hugging Face's words.
struct Tagging: Sendable, Equatable {
  enum Aggregation: String, OneOf, Sendable {
    /// Every word with its tag.
    case none
    /// Entities of words, each with the tag of its first token: what this tagger learnt.
    case simple, first
    /// The same with the tag that is the likeliest in the mean of the word's tokens.
    case average
    /// The same with the tag of the word's surest token.
    case max
  }
  var aggregation = Aggregation.simple
  /// What has one of these labels is left out of the answer.
  var ignored: [String] = []

  init() {}

  /// Throws `APIError`.
  init(_ members: Members) throws(APIError) {
    aggregation = try members.word("aggregation_strategy") ?? .simple
    guard let labels = try members.texts("ignore_labels"),
      let path = members.find("ignore_labels")?.path
    else { return }
    guard aggregation == .none || labels.contains("O") else {
      throw .refused(
        "\(path) without \"O\": what is outside of entities is none; to have it too, say \"aggregation_strategy\": \"none\"",
        param: path)
    }
    ignored = labels
  }
}
