/// F1 of whole spans of BIO tags, counted over all sentences: what taggers are measured by. Agrees
/// with the default mode of the usual sequence-labelling evaluators.
package struct SpanF1: Sendable, Hashable {
  package var correct = 0
  package var gold = 0
  package var predicted = 0

  package init() {}

  package init(gold: [[String]], predicted: [[String]]) {
    for (g, p) in zip(gold, predicted) { add(gold: g, predicted: p) }
  }

  package mutating func add(gold goldTags: [String], predicted predictedTags: [String]) {
    let (g, p) = (SpanF1.spans(goldTags), SpanF1.spans(predictedTags))
    gold += g.count
    predicted += p.count
    correct += Set(g).intersection(p).count
  }

  package var precision: Double { predicted == 0 ? 0 : Double(correct) / Double(predicted) }
  package var recall: Double { gold == 0 ? 0 : Double(correct) / Double(gold) }
  package var f1: Double {
    gold + predicted == 0 ? 0 : 2 * Double(correct) / Double(gold + predicted)
  }

  /// Words [start, end) that are one thing.
  package struct Span: Sendable, Hashable {
    /// Compared byte by byte: all that follows the tag's first hyphen.
    package var type: [UInt8]
    package var start: Int
    package var end: Int

    package init(type: [UInt8], start: Int, end: Int) {
      (self.type, self.start, self.end) = (type, start, end)
    }
  }

  /// A span starts at B-, and at I- where no span of its type runs; it ends before the next start
  /// and before O.
  package static func spans(_ tags: [String]) -> [Span] {
    var spans: [Span] = []
    var open: (type: [UInt8], start: Int)?
    for (place, tag) in tags.enumerated() {
      let bytes = Array(tag.utf8)
      let isInside = bytes.first == UInt8(ascii: "I")
      let isSpan = isInside || bytes.first == UInt8(ascii: "B")
      let type = bytes.firstIndex(of: UInt8(ascii: "-")).map { Array(bytes[($0 + 1)...]) } ?? []
      if let running = open, !(isInside && running.type == type) {
        spans.append(Span(type: running.type, start: running.start, end: place))
        open = nil
      }
      if isSpan, open == nil { open = (type, place) }
    }
    if let running = open {
      spans.append(Span(type: running.type, start: running.start, end: tags.count))
    }
    return spans
  }
}
