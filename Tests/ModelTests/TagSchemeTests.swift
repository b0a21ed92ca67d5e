import Foundation
import Model
import TestSupport
import Testing

/// From tags to entities.
@Suite struct TagSchemeTests {
  struct Case: Decodable {
    struct Span: Decodable {
      let type: String
      let words: Range<Int>

      init(from decoder: any Decoder) throws {
        var list = try decoder.unkeyedContainer()
        type = try list.decode(String.self)
        words = try list.decode(Int.self)..<list.decode(Int.self)
      }
    }
    let scheme: TagScheme
    let gold: [[String]]
    let spans: [[Span]]
  }

  @Test func entitiesAreThoseThatSeqevalFinds() throws {
    let lines = try Fixture.bytes("tags.jsonl").split(separator: 10)
    #expect(lines.count == 128)
    for line in lines {
      let one = try JSONDecoder().decode(Case.self, from: Data(line))
      for (tags, spans) in zip(one.gold, one.spans) {
        #expect(
          one.scheme.spans(of: tags) == spans.map { TaggedSpan(type: $0.type, words: $0.words) },
          "\(one.scheme) \(tags)")
      }
    }
  }

  static let schemes: [TagScheme] = TagScheme.Kind.allCases.flatMap { kind in
    [.plain, .units].contains(kind)
      ? [TagScheme(kind)]
      : TagForm.all.filter { $0.place != .alone || [.bio, .bioes, .bmes].contains(kind) }
        .map { TagScheme(kind, $0) }
  }

  @Test(arguments: schemes) func textIsReadBack(scheme: TagScheme) throws {
    #expect(TagScheme(text: scheme.text) == scheme)
    let json = try JSONEncoder().encode([scheme])
    #expect(try JSONDecoder().decode([TagScheme].self, from: json) == [scheme])
  }

  @Test(arguments: ["", "BIO", "bio:", "bio:X-TYPE-", "bioes:TYPE", "plain:X_TYPE", "bio bio"])
  func otherTextIsAnError(text: String) throws {
    #expect(TagScheme(text: text) == nil)
    let json = try JSONEncoder().encode([text])
    #expect(throws: SpecError.tagScheme(text)) {
      try JSONDecoder().decode([TagScheme].self, from: json)
    }
  }

  /// Specifications of before say no scheme, and are written as they were.
  @Test func specificationsOfBeforeAreRead() throws {
    var spec = VBertSpec(
      task: .tag, base: "b", baseHash: "h", adapter: .none, labels: ["O", "B-A", "E-A", "S-A"])
    let json = String(decoding: try JSONEncoder().encode(spec), as: UTF8.self)
    #expect(!json.contains("tagScheme"))
    let before = try JSONDecoder().decode(VBertSpec.self, from: Data(json.utf8))
    #expect(before == spec && before.tagScheme == nil && before.tags == TagScheme(.bioes))
    spec.tagScheme = TagScheme(.units)
    let now = try JSONDecoder().decode(VBertSpec.self, from: try JSONEncoder().encode(spec))
    #expect(now == spec && now.tags == TagScheme(.units))
  }

  /// Entities, their tags, entities: the same in every scheme and form.
  @Test func fuzzedEntitiesComeBack() {
    Fuzz.run { random, seed in
      for scheme in Self.schemes {
        let file = TaggedText.file(of: scheme, rows: 1, using: &random)
        let (spans, tags) = file[0]
        #expect(scheme.spans(of: tags) == spans, "seed \(seed): \(tags)")
      }
    }
  }

  @Test func fuzzedTagsNeverTrap() {
    let letters = Array("BIESLUMWO-_bio:é")
    Fuzz.run { random, seed in
      for scheme in Self.schemes {
        let tags = (0..<Int.random(in: 0...8, using: &random)).map { _ in
          String(
            (0..<Int.random(in: 0...4, using: &random)).map { _ in
              letters.randomElement(using: &random) ?? "B"
            })
        }
        let spans = scheme.spans(of: tags)
        // In order, apart from each other, inside of the text.
        var end = 0
        for span in spans {
          #expect(span.words.lowerBound >= end && !span.words.isEmpty, "seed \(seed): \(tags)")
          end = span.words.upperBound
        }
        #expect(end <= tags.count)
      }
    }
  }

  @Test func entitiesByHand() {
    func spans(_ scheme: TagScheme, _ tags: String) -> [String] {
      scheme.spans(of: tags.split(separator: " ").map(String.init))
        .map { "\($0.type) \($0.words.lowerBound) \($0.words.upperBound)" }
    }
    #expect(spans(TagScheme(.iob1), "I-A I-A B-A I-B O") == ["A 0 2", "A 2 3", "B 3 4"])
    #expect(spans(TagScheme(.bioes), "B-A E-A S-A B-A I-A O E-A") == ["A 0 2", "A 2 3"])
    #expect(spans(TagScheme(.bilou), "B-A-B I-A-B L-A-B U-A-B") == ["A-B 0 3", "A-B 3 4"])
    #expect(spans(TagScheme(.plain), "A A O A B B") == ["A 0 2", "A 3 4", "B 4 6"])
    #expect(spans(TagScheme(.units), "A A B") == ["A 0 1", "A 1 2", "B 2 3"])
    #expect(spans(TagScheme(.bio, TagForm(.alone)), "B I O B B") == ["_ 0 2", "_ 3 4", "_ 4 5"])
    #expect(spans(TagScheme(.bio, TagForm(.prefix, isLowercase: true)), "b-a i-a o b-a").count == 2)
    // What no scheme of today holds, a tagger of before may: as it always answered.
    #expect(spans(TagScheme(.bio), "PER PER B-PER LOC O") == ["PER 0 2", "PER 2 3", "LOC 3 4"])
    // Types are compared byte by byte.
    #expect(spans(TagScheme(.plain), "\u{E9} e\u{301}").count == 2)
  }
}
