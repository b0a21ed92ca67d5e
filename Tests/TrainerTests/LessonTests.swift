import Compute
import Foundation
import Manager
import Model
import TestSupport
import Testing

@testable import Trainer

/// Text on its way to batches.
@Suite struct LessonTests {
  private func file(_ lines: [String]) throws -> String {
    let url = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try Data((lines.joined(separator: "\n") + "\n").utf8).write(to: url)
    return url.path()
  }

  @Test func roundsGoOnWhereTheyAre() throws {
    let long = try file((0..<500).map { $0 % 5 == 3 ? "" : "long \($0)" })
    let short = try file((0..<30).map { "s\($0)" })
    var rounds = try CorpusRounds([long, short], lines: 40)
    let first = try (0..<60).map { _ in try rounds.next() }
    // Neighbours stay neighbours, and every file has its part.
    #expect(first[0][0].prefix(3) == ["long 0", "long 1", "long 2"])
    #expect(first[0][1].prefix(2) == ["s0", "s1"])
    for skipped in [0, 1, 7, 59] {
      var others = try CorpusRounds([long, short], lines: 40)
      try others.skip(skipped)
      #expect(try others.next() == first[skipped])
    }
    let held = try CorpusRounds.heldOut([long, short], lines: 4)
    #expect(held == ["long 124", "long 372"])
    let seen = Set(first.joined().joined())
    #expect(held.allSatisfy { !seen.contains($0) })
    #expect(throws: CorpusError.self) {
      var none = try CorpusRounds([try file([" ", ""])], lines: 10)
      _ = try none.next()
    }
  }

  private static let model = Configuration(
    vocabularySize: 100, hiddenSize: 4, layerCount: 2, headCount: 1, intermediateSize: 4,
    maxPositions: 64)

  private static func maker(_ mix: TextMix, model: Configuration = model) -> SequenceMaker {
    SequenceMaker(
      mix, classification: 2, separator: 3, model: model, random: SplitMix(seed: 1))
  }

  /// One segment: no pairs are made, and one in the text is refused.
  @Test func aModelWithoutSecondSegmentsGetsNoPairs() throws {
    var model = Self.model
    model.tokenTypes = 1
    var mix = TextMix()
    mix.pairs = 1
    var maker = Self.maker(mix, model: model)
    for sequence in try maker.sequences([[[10, 11, 12, 13], [14, 15, 16, 17]]]) {
      #expect(sequence.ids.values.count { $0 == 3 } == 1)
    }
    #expect(throws: TokenProblem.segment(most: 1)) { try maker.sequences([[[10, 3, 11]]]) }
    #expect(throws: TokenProblem.segment(most: 1)) { try maker.plain([10, 3, 11]) }
  }

  @Test func sequencesKeepToTheirBounds() throws {
    var mix = TextMix()
    (mix.maxLength, mix.pairs) = (16, 0.8)
    var maker = Self.maker(mix)
    let runs: [[[Int32]]] = [
      (0..<50).map { line in (0..<(line % 40)).map { Int32(10 + $0) } }, [[5], [6], []],
    ]
    let sequences = try maker.sequences(runs)
    #expect(sequences.count == 50 + 3 - 2 - 1)
    #expect(sequences.contains { $0.types.values.contains(1) })
    #expect(sequences.contains { !$0.types.values.contains(1) })
    for sequence in sequences {
      #expect(sequence.ids.count <= 16 && sequence.ids.count == sequence.types.count)
      #expect(sequence.ids.values.first == 2 && sequence.ids.values.last == 3)
      let second = sequence.types.values.firstIndex(of: 1)
      #expect(sequence.ids.values.count { $0 == 3 } == (second == nil ? 1 : 2))
      // Neither part of a pair is empty.
      if let second { #expect(second >= 3 && sequence.ids.count - second >= 2) }
    }
  }

  /// A line that is a pair stays that pair; to other lines it lends its first text only.
  @Test func pairsOfTheTextStayPairs() throws {
    var mix = TextMix()
    (mix.maxLength, mix.pairs) = (32, 0)
    let line: [Int32] = [10, 11, 12, 3, 20, 21]
    var maker = Self.maker(mix)
    let pair = try TokenSequence(
      ids: [2, 10, 11, 12, 3, 20, 21, 3], types: [0, 0, 0, 0, 0, 1, 1, 1], for: Self.model)
    #expect(try maker.sequences([[line]]).map(\.ids) == [pair.ids])
    #expect(try maker.plain(line) == pair)
    mix.pairs = 1
    maker = Self.maker(mix)
    let runs: [[[Int32]]] = [(0..<200).map { $0 % 2 == 0 ? line : [30, 31, 32, 33] }]
    for sequence in try maker.sequences(runs) {
      #expect(sequence.ids.values.count { $0 == 3 } == 2)
      if sequence.ids != pair.ids, sequence.types.values.firstIndex(of: 1) != nil {
        #expect(!sequence.ids.values.contains(20))
      }
    }
  }

  @Test func batchesAreEvenAndBounded() throws {
    let sequences = try (0..<100).map {
      let count = 3 + $0 % 14
      return try TokenSequence(
        ids: [Int32](repeating: 5, count: count), types: [Int32](repeating: 0, count: count),
        for: Self.model)
    }
    let cutter = BatchCutter(
      mix: {
        var mix = TextMix(); mix.maxLength = 16; return mix
      }(), budget: 100)
    let batches = cutter.cut(sequences)
    let sizes = batches.map { $0.reduce(0) { $0 + $1.ids.count } }
    #expect(batches.joined().map(\.ids.count) == sequences.map(\.ids.count))
    #expect(sizes.allSatisfy { $0 <= 100 && $0 > 60 }, "\(sizes)")
  }

  @Test func backedOffNGramsAreStandIns() throws {
    var mix = TextMix()
    mix.backOff = 1
    let sequence = try TokenSequence(
      ids: [2] + (10..<40) + [3], types: .init(repeating: 0, count: 32), for: Self.model)
    var (random, distinct) = (SplitMix(seed: 3), DistinctNGrams())
    let batch = try BatchCutter(mix: mix, budget: 64).prepare(
      [sequence], next: LessonPlace(), random: &random, distinct: &distinct)
    let whole = try LocalBatch(batch.packed)
    // A stand-in has no left token, so its neighbour gets nothing of it.
    #expect(batch.local.merge.count { $0 < 0 } > whole.merge.count { $0 < 0 })
    #expect(batch.local.tokens.ids.count < whole.tokens.ids.count)
    #expect(stride(from: 0, to: 96, by: 3).allSatisfy { batch.local.merge[$0] >= 0 })
  }
}
