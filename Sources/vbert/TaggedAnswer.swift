import Model
import Scheduler
import Trainer

/// What a tagger says of a list of words.
struct TaggedAnswer {
  /// An entity, with the members that /tag gives it; `start` and `end` are code points of the words
  /// joined by single spaces.
  struct Entity: Encodable {
    let entityGroup: String
    let score: Float
    let word: String
    let start: Int
    let end: Int
  }

  /// Of every word, as the labels were given.
  let tags: [String]
  let entities: [Entity]
  /// The words, each entity with its type behind it.
  let text: String

  /// `output`: the head's of all tokens; a word without one (`firstTokens` below 0) is an O.
  init(_ output: [Float], spec: VBertSpec, words: [String], firstTokens: [Int]) {
    tags = Scores.tags(output, firstTokens: firstTokens, labels: spec.labels)
    var tagged: [WordTag] = []
    var start = 0
    let count = spec.labels.count
    for ((word, tag), first) in zip(zip(words, tags), firstTokens) {
      let end = start + word.unicodeScalars.count
      let logits = first < 0 ? [] : Array(output[first * count..<(first + 1) * count])
      let score = Readout.softmax(logits).max() ?? 0
      tagged.append(WordTag(label: tag, score: score, span: start..<end))
      start = end + 1
    }
    let groups = EntityGroup.groups(of: tagged, spec.tags)
    entities = groups.map { group in
      Entity(
        entityGroup: group.type, score: group.score,
        word: words[group.words].joined(separator: " "), start: group.span.lowerBound,
        end: group.span.upperBound)
    }
    text = Self.text(words, groups)
  }

  /// "[Petra Lindqvist]/PER lives in Oslo/LOC"
  private static func text(_ words: [String], _ groups: [EntityGroup]) -> String {
    var parts: [String] = []
    var next = 0
    for group in groups {
      parts += words[next..<group.words.lowerBound]
      let own = words[group.words].joined(separator: " ")
      parts.append((group.words.count == 1 ? own : "[\(own)]") + "/\(group.type)")
      next = group.words.upperBound
    }
    return (parts + words[next...]).joined(separator: " ")
  }
}
