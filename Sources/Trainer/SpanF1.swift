package import Model

/// F1 of whole entities, counted over all sentences: what taggers are measured by. As seqeval measures:
/// in its default mode, or strictly where the scheme marks both ends of an entity.
package struct SpanF1: Sendable, Hashable {
  package let scheme: TagScheme
  package var correct = 0
  package var gold = 0
  package var predicted = 0

  package init(_ scheme: TagScheme) { self.scheme = scheme }

  package init(_ scheme: TagScheme, gold: [[String]], predicted: [[String]]) {
    self.init(scheme)
    for (g, p) in zip(gold, predicted) { add(gold: g, predicted: p) }
  }

  package mutating func add(gold goldTags: [String], predicted predictedTags: [String]) {
    let (g, p) = (scheme.spans(of: goldTags), scheme.spans(of: predictedTags))
    gold += g.count
    predicted += p.count
    correct += Set(g).intersection(p).count
  }

  package var precision: Double { predicted == 0 ? 0 : Double(correct) / Double(predicted) }
  package var recall: Double { gold == 0 ? 0 : Double(correct) / Double(gold) }
  package var f1: Double {
    gold + predicted == 0 ? 0 : 2 * Double(correct) / Double(gold + predicted)
  }
}
