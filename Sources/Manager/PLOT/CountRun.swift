internal import Files
internal import Foundation
internal import Model

/// A sorted run of counts on disk, in a scratch file: gone when this object goes, or the process.
final class CountRun: Sendable {
  private let file: ScratchFile
  let count: Int

  /// Throws `PLOTError.file`, of a full disk for example.
  init(_ entries: [NGramCount], in directory: URL) throws(PLOTError) {
    count = entries.count
    do {
      file = try unsafe entries.withUnsafeBufferPointer { (entries) throws(FileError) in
        try unsafe ScratchFile(UnsafeRawBufferPointer(entries), in: directory.filePath)
      }
    } catch { throw .file(error) }
  }

  subscript(place: Int) -> NGramCount {
    precondition(place < count)
    let entries = unsafe file.start?.assumingMemoryBound(to: NGramCount.self)
    return unsafe entries?[place] ?? NGramCount(gram: NGram(0, 0, 0), count: 0)
  }
}

/// Merges sorted runs: each n-gram once, in order, with the sum of its counts.
struct CountMerge: Sequence, IteratorProtocol {
  private struct Head {
    var entry: NGramCount
    var run: Int
    var next: Int
  }

  private let runs: [CountRun]
  /// A binary heap, the least n-gram first.
  private var heap: [Head] = []

  init(_ runs: [CountRun]) {
    self.runs = runs
    for (number, run) in runs.enumerated() where run.count > 0 {
      heap.append(Head(entry: run[0], run: number, next: 1))
    }
    for place in heap.indices.reversed() { sink(place) }
  }

  mutating func next() -> NGramCount? {
    guard var sum = heap.first?.entry else { return nil }
    advance()
    while let head = heap.first, head.entry.gram == sum.gram {
      let (more, overflow) = sum.count.addingReportingOverflow(head.entry.count)
      sum.count = overflow ? .max : more
      advance()
    }
    return sum
  }

  private mutating func advance() {
    let run = runs[heap[0].run]
    if heap[0].next < run.count {
      heap[0].entry = run[heap[0].next]
      heap[0].next += 1
    } else {
      heap.swapAt(0, heap.count - 1)
      heap.removeLast()
    }
    sink(0)
  }

  private mutating func sink(_ start: Int) {
    var place = start
    while true {
      var least = place
      for child in [2 * place + 1, 2 * place + 2]
      where child < heap.count && precedes(child, least) { least = child }
      if least == place { return }
      heap.swapAt(place, least)
      place = least
    }
  }

  private func precedes(_ a: Int, _ b: Int) -> Bool {
    NGramCount.precedes(heap[a].entry.gram, heap[b].entry.gram)
  }
}
