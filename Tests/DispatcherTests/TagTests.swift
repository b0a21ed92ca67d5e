import Manager
import Model
import ServingSupport
import Testing

@testable import Dispatcher

/// /tag of vBERTs whose tags are not BIO.
@Suite(.timeLimit(.minutes(5))) struct TagTests {
  private static let cases: [(labels: [String], scheme: String?, types: [String])] = [
    (["O", "S-PER", "S-LOC"], nil, ["PER", "LOC"]),
    (["O", "U-PER", "U-LOC"], nil, ["PER", "LOC"]),
    (["O", "PER-B", "PER-I", "LOC-B", "LOC-I"], nil, ["PER", "LOC"]),
    (["O", "B_PER", "I_PER"], nil, ["PER"]),
    (["O", "PER", "LOC"], nil, ["PER", "LOC"]),
    (["O", "NOUN", "VERB", "DET"], "units", ["NOUN", "VERB", "DET"]),
    (["O", "NOUN", "VERB", "DET"], "plain", ["NOUN", "VERB", "DET"]),
    (["O", "B-PER", "I-PER", "E-PER", "S-PER"], "bioes", ["PER"]),
  ]

  /// Whatever an untrained tagger says of the words.
  @Test func entitiesAreThoseOfTheScheme() async throws {
    let home = try TinyHome()
    for (number, one) in Self.cases.enumerated() {
      var spec = TinyModel.spec(.tag, TinyHome.bottleneck, labels: one.labels)
      spec.tagScheme = one.scheme.flatMap { TagScheme(text: $0) }
      try home.add(VBertName("names-\(number)"), spec, seed: 6)
    }
    let server = try await TinyServer(home: home)
    try await server.test { client in
      var found = 0
      for (number, one) in Self.cases.enumerated() {
        let scheme = one.scheme.flatMap { TagScheme(text: $0) } ?? TagScheme(labels: one.labels)
        let text = "the cat , a big dog in london saw bob and ann ; the mat sat"
        let body = #"{"model": "names-\#(number)", "inputs": "\#(text)""#
        let words = try await client.post("/tag", body + #", "aggregation_strategy": "none"}"#)
        let tags = words.objects.compactMap { $0["entity"] as? String }
        #expect(tags.count == 16 && Set(tags).isSubset(of: one.labels))
        let groups = try await client.post("/tag", body + "}")
        let spans = scheme.spans(of: tags)
        #expect(groups.status == 200 && groups.objects.count == spans.count)
        found += spans.count
        for (group, span) in zip(groups.objects, spans) {
          let type = group["entity_group"] as? String ?? ""
          #expect(type == span.type && one.types.contains(type))
          #expect(group["start"] as? Int == words.objects[span.words.lowerBound]["start"] as? Int)
          #expect(group["end"] as? Int == words.objects[span.words.upperBound - 1]["end"] as? Int)
          let scores = words.objects[span.words].compactMap { $0["score"] as? Double }
          let mean = scores.reduce(0, +) / Double(span.words.count)
          #expect(abs((group["score"] as? Double ?? 0) - mean) < 1e-5)
        }
      }
      #expect(found > 20)
    }
  }
}
