internal import Model
internal import Scheduler

extension Tagging {
  /// Whether every token of a word has its say, or the first alone.
  private var asksEveryToken: Bool { aggregation == .average || aggregation == .max }

  /// The tokens that a tagger is asked about.
  func places(_ sequence: EncodedText) -> [Int?] {
    asksEveryToken ? sequence.tokens.flatMap { $0.map(Optional.some) } : sequence.firstTokens
  }

  /// A tag a word.
  func tags(of sequence: EncodedText, _ reply: Reply, labels: [String]) -> [WordTag] {
    guard case .words(let outputs) = reply.output else { return [] }
    var rest = outputs[...]
    return zip(sequence.words, sequence.tokens).map { word, tokens in
      let own = rest.prefix(asksEveryToken ? tokens.count : 1)
      rest = rest.dropFirst(own.count)
      return WordTag(scores(own.map(Readout.softmax)), labels: labels, span: word.span)
    }
  }

  /// One distribution of labels from those of a word's tokens.
  private func scores(_ tokens: [[Float]]) -> [Float] {
    guard var scores = tokens.first else { return [] }
    switch aggregation {
    case .none, .simple, .first: break
    case .average:
      for token in tokens.dropFirst() {
        for label in scores.indices { scores[label] += token[label] }
      }
      for label in scores.indices { scores[label] /= Float(tokens.count) }
    case .max:
      // The first of equally sure tokens.
      for token in tokens.dropFirst() where (token.max() ?? 0) > (scores.max() ?? 0) {
        scores = token
      }
    }
    return scores
  }
}
