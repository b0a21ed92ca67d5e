internal import Files
internal import Foundation
internal import HeapModule
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
  private struct Head: Comparable {
    var entry: NGramCount
    var run: Int
    var next: Int

    static func < (a: Head, b: Head) -> Bool {
      NGramCount.precedes(a.entry.gram, b.entry.gram)
    }
    static func == (a: Head, b: Head) -> Bool { a.entry.gram == b.entry.gram }
  }

  private let runs: [CountRun]
  /// Where each run is, the least n-gram first.
  private var heads: Heap<Head>

  init(_ runs: [CountRun]) {
    self.runs = runs
    heads = Heap(
      runs.enumerated().filter { $0.element.count > 0 }.map {
        Head(entry: $0.element[0], run: $0.offset, next: 1)
      })
  }

  mutating func next() -> NGramCount? {
    guard var sum = heads.min?.entry else { return nil }
    advance()
    while let head = heads.min, head.entry.gram == sum.gram {
      let (more, overflow) = sum.count.addingReportingOverflow(head.entry.count)
      sum.count = overflow ? .max : more
      advance()
    }
    return sum
  }

  private mutating func advance() {
    guard var head = heads.min else { return }
    let run = runs[head.run]
    guard head.next < run.count else {
      heads.removeMin()
      return
    }
    head.entry = run[head.next]
    head.next += 1
    heads.replaceMin(with: head)
  }
}
