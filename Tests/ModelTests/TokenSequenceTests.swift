import Compute
import ComputeCPU
import Testing

@testable import Model

/// Ids are checked against what they index once, where they come in.
@Suite struct TokenSequenceTests {
  private static let model = Configuration(
    vocabularySize: 50, hiddenSize: 8, layerCount: 1, headCount: 1, intermediateSize: 8,
    maxPositions: 6)

  @Test func onlyWhatTheModelReadsIsASequence() throws {
    let good = try TokenSequence(ids: [0, 49, 7], types: [0, 1, 1], for: Self.model)
    #expect(good.ids.values == [0, 49, 7] && good.ids.bound == 50 && good.types.bound == 2)
    let wrong: [(ids: [Int32], types: [Int32])] = [
      ([], []), ([50], [0]), ([-1], [0]), ([.max], [0]), ([.min], [0]), ([1], [2]), ([1], [-1]),
      ([1, 2], [0]), ([1], [0, 0]),
      ([Int32](repeating: 1, count: 7), [Int32](repeating: 0, count: 7)),
    ]
    for (ids, types) in wrong {
      #expect(throws: TokenProblem.self, "\(ids) \(types)") {
        try TokenSequence(ids: ids, types: types, for: Self.model)
      }
    }
    #expect(throws: TokenProblem.length(7, most: 6)) {
      try TokenSequence(ids: wrong[9].ids, types: wrong[9].types, for: Self.model)
    }
  }

  /// BERT numbers segments, and needs two rows for a pair; MPNet and DistilBERT don't.
  @Test func whoReadsPairs() throws {
    var one = Self.model
    one.tokenTypes = 1
    #expect(Self.model.readsPairs && !one.readsPairs)
    #expect(throws: TokenProblem.segment(most: 1)) {
      try TokenSequence(ids: [1, 2], types: [0, 1], for: one)
    }
    for architecture in [Architecture.mpnet, .distilBert] {
      var model = Self.model
      (model.architecture, model.tokenTypes) = (architecture, 0)
      #expect(model.readsPairs && model.segments == 1)
    }
  }

  @Test func distilBertsPairsAreOneSegment() throws {
    let words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b"]
    let tokenizer = try WordPiece(
      tokenizerJSON: nil, vocabulary: Array(words.joined(separator: "\n").utf8),
      configuration: nil, special: Architecture.distilBert.special)
    // The tokeniser numbers them as BERT's does; the model has no use for it.
    let pair = tokenizer.encode("a", pair: "b a", maxLength: nil)
    #expect(pair.ids == [2, 5, 3, 6, 5, 3] && pair.typeIDs == [0, 0, 0, 1, 1, 1])
    var model = Self.model
    (model.architecture, model.tokenTypes) = (.distilBert, 0)
    let read = try TokenSequence(pair, for: model)
    #expect(read.ids.values == pair.ids && read.types.values == [0, 0, 0, 0, 0, 0])
  }

  @Test func batchesKeepTheirBounds() throws {
    let batch = try PackedBatch([([1, 2, 3], [0, 0, 1]), ([4], [0])], for: Self.model)
    #expect(batch.ids.values == [1, 2, 3, 4] && batch.ids.bound == 50)
    #expect(batch.types.values == [0, 0, 1, 0] && batch.types.bound == 2)
    #expect(batch.positions.values == [0, 1, 2, 0] && batch.positions.bound == 3)
  }

  /// A damaged table's or list's n-gram is an error of who computes it, not the process's end.
  @Test func localLayersRefuseStrangeNGrams() throws {
    for gram in [NGram(1, 50, 2), NGram(-2, 1, 2), NGram(.max, 1, NGram.none), NGram(1, -3, 2)] {
      #expect(!gram.isOf(vocabulary: 50))
      #expect(throws: ComputeError.self) { try PackedNGrams([gram], vocabulary: 50) }
    }
    #expect(NGram(NGram.none, 49, NGram.none).isOf(vocabulary: 50))
    #expect(!NGram(1, NGram.none, 2).isOf(vocabulary: 50))
    let packed = try PackedNGrams(
      [NGram(NGram.none, 49, 3), NGram(0, NGram.none, 0)], vocabulary: 50)
    #expect(packed.ids.values == [49, 3] && packed.positions.values == [1, 2])
  }
}
