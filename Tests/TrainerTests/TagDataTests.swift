import Foundation
import Model
import TestSupport
import Testing

@testable import Trainer

/// Taggers' data in every scheme: what training makes of it.
@Suite struct TagDataTests {
  /// Rows of tags, with as many words.
  static func data(_ rows: [String]) -> DataSet {
    DataSet(
      path: "tags.jsonl",
      rows: rows.enumerated().map { number, text in
        let tags = text.split(separator: " ").map(String.init)
        return DataRow(
          line: number + 1, input: .words(tags.map { _ in "the" }), target: .tags(tags))
      })
  }

  private static let spec = VBertSpec(
    task: .tag, base: "", baseHash: "", adapter: .none, maxLength: 16)

  private func training(_ data: DataSet, dev: DataSet? = nil, limit: Int? = nil) throws
    -> TrainingData
  {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    func write(_ data: DataSet, _ name: String) throws -> String {
      let lines = try data.rows.map { row -> String in
        guard case .words(let tokens) = row.input, case .tags(let tags) = row.target else {
          return ""
        }
        let object = ["tokens": tokens, "tags": tags]
        return String(decoding: try JSONEncoder().encode(object), as: UTF8.self)
      }
      let file = folder.appending(path: name)
      try Data(lines.joined(separator: "\n").utf8).write(to: file)
      return file.path()
    }
    return try TrainingData(
      data: try write(data, "train.jsonl"), dev: try dev.map { try write($0, "dev.jsonl") },
      spec: Self.spec, limit: limit, options: TrainingOptions())
  }

  @Test(arguments: [
    (["B-PER I-PER O", "O B-LOC"], "bio"), (["B-PER E-PER O", "O S-LOC"], "bioes"),
    (["PER PER O", "O LOC"], "plain"), (["DET NOUN", "NOUN VERB"], "units"),
  ])
  func schemeIsKept(_ rows: [String], _ scheme: String) throws {
    let files = try training(Self.data(rows))
    #expect(files.spec.tagScheme?.text == scheme)
    #expect(files.spec.labels.first == "O")
  }

  /// The first rows of a file of types may lack the O that the others have.
  @Test func schemeIsThatOfTheWholeFile() throws {
    let rows = ["PER LOC", "LOC PER", "PER PER O", "O LOC"]
    #expect(try training(Self.data(rows), limit: 2).spec.tagScheme == TagScheme(.plain))
  }

  @Test func mixedFilesNameTheirLines() throws {
    let mixed = Self.data(["B-PER E-PER O", "S-LOC O", "B-PER E-PER S-LOC", "LOC O I-LOC"])
    let error = try #require(throws: DataSetError.self) { try training(mixed) }
    #expect("\(error)".contains("train.jsonl, line 4: the tag \"LOC\" of word 1 is none of BIOES"))
    let good = Self.data(["B-PER E-PER O", "S-LOC O"])
    let dev = Self.data(["B-PER E-PER", "B-LOC I-LOC O", "PER O"])
    let other = try #require(throws: DataSetError.self) { try training(good, dev: dev) }
    #expect(
      "\(other)".contains(
        "dev.jsonl, line 3: the tag \"PER\" of word 1 is none of BIOES; this vBERT's tags are BIOES"
      ))
  }

  /// What a perfect tagger of `predicted` has on `gold`.
  private func scores(_ gold: DataSet, _ predicted: DataSet, spec: VBertSpec) throws -> Scores {
    let world = try TrainingJobTests.World(skip: 0)
    let examples = try Examples(
      gold, spec: spec, labels: LabelSet(spec.labels), tokenizer: world.tokenizer,
      base: world.configuration)
    let logits = predicted.rows.map { row -> [Float] in
      guard case .tags(let tags) = row.target else { return [] }
      // Of the tokens: one a word, and one at either end.
      return (["O"] + tags + ["O"]).flatMap { tag in
        spec.labels.map { $0.utf8.elementsEqual(tag.utf8) ? Float(5) : 0 }
      }
    }
    return Scores(examples, spec: spec, logits: logits)
  }

  @Test(arguments: [
    ["B-PER I-PER O B-LOC", "O B-LOC B-LOC"], ["I-PER I-PER O I-LOC", "O I-LOC B-LOC"],
    ["B-PER E-PER O S-LOC", "O S-LOC S-LOC"], ["B-PER L-PER O U-LOC", "O U-LOC U-LOC"],
    ["PER PER O LOC", "O LOC"], ["DET NOUN NOUN", "VERB DET NOUN"], ["PER-B PER-E O PER-S"],
  ])
  func perfectTaggersHaveF1Of1(_ rows: [String]) throws {
    let data = Self.data(rows)
    let spec = try training(Self.data(rows + rows)).spec
    let scores = try scores(data, data, spec: spec)
    for name in ["span_f1", "precision", "recall", "accuracy"] { #expect(scores.values[name] == 1) }
  }

  @Test func entitiesAreMeasuredNotTags() throws {
    // Two entities predicted, both right; three in the gold: as seqeval with IOBES.
    let gold = Self.data(["B-PER E-PER S-LOC O S-LOC"])
    let answer = Self.data(["B-PER E-PER O O S-LOC"])
    let spec = try training(Self.data(["B-PER E-PER O O S-LOC", "O"])).spec
    let scores = try scores(gold, answer, spec: spec)
    #expect(scores.values["precision"] == 1)
    #expect(scores.values["recall"] == 2.0 / 3)
    #expect(scores.values["span_f1"] == 0.8)
    // Every word a unit: F1 is the share of words.
    let units = try training(Self.data(["DET NOUN VERB", "NOUN"])).spec
    let parts = try self.scores(
      Self.data(["DET NOUN NOUN VERB"]), Self.data(["DET NOUN VERB VERB"]), spec: units)
    #expect(parts.values["span_f1"] == 0.75 && parts.values["accuracy"] == 0.75)
  }

  /// A word that was cut off is an O, whatever the order of the labels.
  @Test func wordsWithoutTokensAreOutside() {
    let labels = ["B-A", "I-A", "O"]
    #expect(Scores.tags([9, 0, 0], firstTokens: [0, -1], labels: labels) == ["B-A", "O"])
  }

  struct Figures: Decodable {
    let scheme: TagScheme
    let gold, pred: [[String]]
    let precision, recall, f1: Double
  }

  @Test func figuresAreSeqevals() throws {
    let file = Resources.packageRoot.appending(path: "Tests/ModelTests/Fixtures/tags.jsonl")
    let lines = try contents(of: file).jsonLines
    #expect(lines.count == 128)
    for line in lines {
      let one = try JSONDecoder().decode(Figures.self, from: line)
      let score = SpanF1(one.scheme, gold: one.gold, predicted: one.pred)
      #expect(abs(score.precision - one.precision) < 1e-9, "\(one.scheme)")
      #expect(abs(score.recall - one.recall) < 1e-9, "\(one.scheme)")
      #expect(abs(score.f1 - one.f1) < 1e-9, "\(one.scheme)")
    }
  }
}

/// The same of the files that people bring.
@Suite("Tags of shared/cases", .enabled(if: Shared.exists, "\(Shared.missing)"))
struct TagCaseTests {
  private func rows(_ name: String) throws -> [[String]] {
    try DataSet(path: Shared.url("cases/\(name)").path(), task: .tag, labelled: true)
      .rows.compactMap { row in
        if case .tags(let tags) = row.target { tags } else { nil }
      }
  }

  private func scheme(_ rows: [[String]]) throws -> TagScheme {
    try TagScheme(of: rows.enumerated().map { TaggedRow(line: $0 + 1, tags: $1) })
  }

  @Test func bioesIsMeasuredAsSeqevalDoes() throws {
    let (known, gold) = (try rows("tags-bioes.jsonl"), try rows("tags-bioes-eval.jsonl"))
    let score = SpanF1(try scheme(known), gold: gold, predicted: known)
    #expect((score.correct, score.predicted, score.gold) == (120, 120, 180))
    #expect(score.precision == 1 && abs(score.recall - 2.0 / 3) < 1e-9 && score.f1 == 0.8)
  }

  @Test func allFormsHoldTheSameEntities() throws {
    let bioes = try rows("tags-bioes.jsonl")
    let expected = bioes.map(try scheme(bioes).spans)
    #expect(try scheme(bioes).text == "bioes")
    for (name, text) in [("tags-iob1", "iob1"), ("tags-plain", "plain")] {
      let rows = try rows("\(name).jsonl")
      #expect(try scheme(rows).text == text)
      #expect(try rows.map(scheme(rows).spans) == expected, "\(name)")
    }
  }

  @Test func everyWordOfATaggedTextIsAUnit() throws {
    let rows = try rows("tags-pos.jsonl")
    #expect(try scheme(rows).text == "units")
    #expect(try scheme(rows).spans(of: rows[0]).count == rows[0].count)
    #expect(try scheme(try self.rows("tags-chinese.jsonl")).text == "bio")
  }

  @Test func mixedTagsNameLine4() throws {
    let rows = try rows("tags-mixed.jsonl")
    let problem = try #require(throws: TagProblem.self) { try scheme(rows) }
    #expect(problem.faults.map(\.line) == [4] && problem.scheme.text == "bioes")
  }
}
