internal import Dispatch
internal import Foundation
internal import Manager
import Model
import Synchronization

/// Makes batches on a thread of its own, a few ahead of the training step.
final class LessonFeed: Sendable {
  private struct State {
    var batches: [LessonBatch] = []
    var failure: (any Error)?
    var isStopped = false
  }

  /// Batches that may wait: more than are used up while a round is tokenised.
  private static let depth = 32

  private let state = Mutex(State())
  private let filled = DispatchSemaphore(value: 0)
  /// Begins at 0: a semaphore must not go while it is lower than it began.
  private let free = DispatchSemaphore(value: 0)

  /// What batches are made of and how; equal plans give equal batches.
  struct Plan: Sendable {
    var corpus: [String]
    var mix: TextMix
    var budget: Int
    var seed: UInt64
    var linesPerRound: Int
    /// Threads that tokenise.
    var threads: Int
  }

  /// Begins at `place`. Throws what opening the files throws.
  init(
    _ plan: Plan, tokenizer: any Tokenizer, model: Configuration, from place: LessonPlace
  ) throws {
    for _ in 0..<LessonFeed.depth { free.signal() }
    // The thread opens the files for itself; what is wrong with them is better known here.
    _ = try CorpusRounds(plan.corpus, lines: plan.linesPerRound)
    let thread = Thread { [self] in
      do { try produce(plan, tokenizer, model, from: place) } catch {
        state.withLock { $0.failure = error }
        filled.signal()
      }
    }
    thread.name = "lessons"
    thread.start()
  }

  /// Waits for the next batch. Throws what the thread met with.
  func next() throws -> LessonBatch {
    filled.wait()
    let batch = try state.withLock { state throws in
      if state.batches.isEmpty, let failure = state.failure { throw failure }
      return state.batches.removeFirst()
    }
    free.signal()
    return batch
  }

  /// Lets the thread end; nothing may be asked for afterwards.
  func stop() {
    state.withLock { $0.isStopped = true }
    free.signal()
  }

  private func produce(
    _ plan: Plan, _ tokenizer: any Tokenizer, _ model: Configuration, from place: LessonPlace
  ) throws {
    var rounds = try CorpusRounds(plan.corpus, lines: plan.linesPerRound)
    try rounds.skip(place.round)
    let cutter = BatchCutter(mix: plan.mix, budget: plan.budget)
    var distinct = DistinctNGrams()
    var (number, first) = (place.round, place.batch)
    while true {
      var random = SplitMix(seed: plan.seed &+ 0xA076_1D64_78BD_642F &* UInt64(number + 1))
      let runs = try rounds.next().map { LessonFeed.tokenize($0, tokenizer, plan.threads) }
      var maker = SequenceMaker(
        plan.mix, tokenizer, model: model, random: SplitMix(seed: random.next()))
      let batches = cutter.cut(try maker.sequences(runs))
      guard !batches.isEmpty else { throw CorpusError.noText(path: plan.corpus[0]) }
      for (i, batch) in batches.enumerated() {
        // Every batch has chance of its own, so that those left out need not be made.
        var own = SplitMix(seed: random.next())
        guard i >= first else { continue }
        let next =
          i + 1 < batches.count
          ? LessonPlace(round: number, batch: i + 1) : LessonPlace(round: number + 1, batch: 0)
        let made = try cutter.prepare(batch, next: next, random: &own, distinct: &distinct)
        free.wait()
        guard !state.withLock({ $0.isStopped }) else { return }
        state.withLock { $0.batches.append(made) }
        filled.signal()
      }
      (number, first) = (number + 1, 0)
    }
  }

  /// The lines' tokens without [CLS] and [SEP]; a line with a tab is a pair of texts, and has [SEP]
  /// between them.
  static func tokenize(_ lines: [String], _ tokenizer: any Tokenizer, _ threads: Int) -> [[Int32]] {
    let piece = max(1, (lines.count + threads - 1) / max(1, threads))
    let done = Mutex<[Int: [[Int32]]]>([:])
    DispatchQueue.concurrentPerform(iterations: (lines.count + piece - 1) / piece) { number in
      let part = lines[number * piece..<min(lines.count, (number + 1) * piece)].map {
        let parts = $0.split(separator: "\t", maxSplits: 1).map {
          tokenizer.encode(String($0), addSpecialTokens: false).ids
        }.filter { !$0.isEmpty }
        return Array(parts.joined(separator: [tokenizer.separator]))
      }
      done.withLock { $0[number] = part }
    }
    return done.withLock { done in done.keys.sorted().flatMap { done[$0] ?? [] } }
  }
}
