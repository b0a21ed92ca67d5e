internal import Dispatch
internal import Files
package import Foundation
package import Model
private import Synchronization

/// Counts the n-grams of plain text, one text a line, on several threads within a bound of memory.
///
/// Every thread fills its own table; a full one becomes a sorted run on disk, and at the end all runs
/// are merged. So counts are exact, and the result depends on the input alone: not on the number of
/// threads, nor on the bound.
package final class CorpusCounter {
  private let tokenizer: any Tokenizer
  private let directory: URL
  private let workers: [Worker]
  package private(set) var lines = 0
  package var tokens: Int { workers.reduce(0) { $0 + $1.tokens } }
  /// Runs written so far.
  package var runCount: Int { workers.reduce(0) { $0 + $1.runs.count } }

  /// Text handed to the threads at once, in bytes.
  private static let slab = 1 << 22

  /// `memory` bounds the tables, in bytes; runs go to `directory`.
  package init(tokenizer: any Tokenizer, directory: URL, memory: Int, threads: Int) {
    self.tokenizer = tokenizer
    self.directory = directory
    let threads = max(1, threads)
    workers = (0..<threads).map { _ in Worker(byteCount: memory / threads) }
  }

  /// Counts the lines of a file, plain or gzip. Calls `progress` now and then. Throws what reading
  /// throws, and `PLOTError`.
  package func read(_ path: String, progress: () -> Void = {}) throws {
    let reader = try LineReader(path: path)
    var slab: [[UInt8]] = []
    var bytes = 0
    while let line = try reader.next() {
      lines += 1
      bytes += line.bytes.count
      slab.append(line.bytes)
      if bytes >= CorpusCounter.slab {
        try count(slab)
        slab.removeAll(keepingCapacity: true)
        bytes = 0
        progress()
      }
    }
    try count(slab)
    progress()
  }

  private func count(_ slab: [[UInt8]]) throws {
    let next = Atomic(0)
    let failure = Mutex<(any Error)?>(nil)
    let (tokenizer, directory, workers) = (tokenizer, directory, workers)
    DispatchQueue.concurrentPerform(iterations: workers.count) { number in
      do {
        while true {
          // Small pieces, so that no thread waits for another's long ones.
          let first = next.add(32, ordering: .relaxed).oldValue
          guard first < slab.count else { return }
          for line in slab[first..<min(first + 32, slab.count)] {
            try workers[number].count(line, tokenizer, directory)
          }
        }
      } catch {
        failure.withLock { $0 = error }
      }
    }
    if let error = failure.withLock({ $0 }) { throw error }
  }

  /// Ends the counting: every different n-gram once, in order.
  func merged() throws -> CountMerge {
    for worker in workers { try worker.spill(to: directory) }
    return CountMerge(workers.flatMap(\.runs))
  }

  /// One thread's part; only that thread touches it while a slab is counted.
  private final class Worker: @unchecked Sendable {
    private var counts: NGramCounts
    private(set) var runs: [CountRun] = []
    private(set) var tokens = 0
    private var grams: [NGram] = []

    init(byteCount: Int) { counts = NGramCounts(byteCount: byteCount) }

    func count(_ line: [UInt8], _ tokenizer: any Tokenizer, _ directory: URL) throws(PLOTError) {
      let ids = tokenizer.encode(String(decoding: line, as: UTF8.self)).ids
      guard ids.count > 2 else { return }
      tokens += ids.count
      grams.removeAll(keepingCapacity: true)
      NGram.append(of: ids[...], to: &grams)
      for gram in grams {
        counts.add(gram)
        // What stands in for it where it is not stored.
        if gram.left != NGram.none, gram.right != NGram.none { counts.add(gram.bigram) }
        if counts.isFull { try spill(to: directory) }
      }
    }

    func spill(to directory: URL) throws(PLOTError) {
      guard !counts.isEmpty else { return }
      runs.append(try CountRun(counts.drain(), in: directory))
    }
  }
}
