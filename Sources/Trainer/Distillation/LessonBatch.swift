internal import Compute
internal import Manager
import Model

/// A batch ready for the training step: nothing is left to do on the host but to hand it over.
struct LessonBatch: Sendable {
  let packed: PackedBatch
  let local: LocalBatch
  /// What comes after it, for a run that stops here.
  let next: LessonPlace
}

/// How far a run is in its text.
struct LessonPlace: Sendable, Equatable, Codable {
  var round = 0
  var batch = 0
}

/// Cuts a round's sequences into batches, with n-grams backed off at random.
struct BatchCutter {
  let mix: TextMix
  /// Most tokens a batch.
  let budget: Int

  /// Batches of about the same size, none above the budget (but for one sequence alone).
  func cut(_ sequences: [TokenSequence]) -> [[TokenSequence]] {
    let tokens = sequences.reduce(0) { $0 + $1.count }
    let room = max(1, budget - mix.maxLength)
    let count = (tokens + room - 1) / room
    var (batches, seen): ([[TokenSequence]], Int) = ([], 0)
    for sequence in sequences {
      if seen * count >= batches.count * tokens { batches.append([]) }
      batches[batches.count - 1].append(sequence)
      seen += sequence.count
    }
    return batches
  }

  /// `distinct` keeps its memory from batch to batch.
  func prepare(
    _ sequences: [TokenSequence], next: LessonPlace, random: inout SplitMix,
    distinct: inout DistinctNGrams
  ) throws -> LessonBatch {
    let packed = PackedBatch(sequences: sequences)
    var grams = packed.grams
    for i in 0..<packed.layout.count where Double(random.nextFloat()) < mix.backOff {
      let share = random.nextFloat()
      for t in packed.layout.rows(of: i) where random.nextFloat() < share {
        grams[t] = random.nextFloat() < 0.8 ? grams[t].bigram : grams[t].unigram
      }
    }
    return LessonBatch(
      packed: packed,
      local: try LocalBatch(
        grams, vocabulary: packed.ids.bound, layout: packed.layout, distinct: &distinct),
      next: next)
  }
}
