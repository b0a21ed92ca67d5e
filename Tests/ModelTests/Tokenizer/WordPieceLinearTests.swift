import Glibc
import Testing

@testable import Model

/// Time grows with the length of the text and no faster, whatever the text.
@Suite(.serialized) struct WordPieceLinearTests {
  /// Repeated to a megabyte; quadratic work on any of them would take minutes.
  @Test(arguments: [
    "a", " ", ".", "\u{301}\u{323}", "a\u{301}\u{323}", "\u{F73}\u{301}", "\u{6771}",
    "\u{D55C}", "[MASK", "[MASK]", "\u{200B}", "cat",
  ])
  func oneMegabyte(of unit: String) throws {
    let tokenizer = try WordPiece(vocabulary: Fixture.bytes("wordpiece.vocab.txt"))
    func time(bytes: Int) -> UInt64 {
      let text = String(repeating: unit, count: bytes / unit.utf8.count)
      return processorTime { _ = tokenizer.encode(text) }
    }
    // 32 times the text: linear 32 times the time, quadratic 1,024 times.
    let small = (0..<2).map { _ in time(bytes: 1 << 15) }.min() ?? 0
    let large = time(bytes: 1 << 20)
    #expect(large < small * 160, "\(small) ns for 32 KB, \(large) ns for 1 MB")
  }

  @Test func longWordsAreUnknown() throws {
    let tokenizer = try WordPiece(vocabulary: Fixture.bytes("wordpiece.vocab.txt"))
    let encoding = tokenizer.encode(String(repeating: "a", count: 1 << 20))
    #expect(encoding.ids == [2, 1, 3])
    #expect(encoding.spans[1] == TextSpan(start: 0, end: 1 << 20))
  }

  /// A single text is not read further than the maximum length needs.
  @Test func maximumLengthBoundsTheWork() throws {
    let tokenizer = try WordPiece(vocabulary: Fixture.bytes("wordpiece.vocab.txt"))
    let text = String(repeating: "the cat sat on the mat ", count: 1 << 16)
    let whole = processorTime { _ = tokenizer.encode(text) }
    let part = processorTime { #expect(tokenizer.encode(text, maxLength: 128).count == 128) }
    #expect(part * 20 < whole)
  }

  /// What this thread computed for, in nanoseconds: the same whatever else the machine does.
  private func processorTime(of work: () -> Void) -> UInt64 {
    let start = threadNanoseconds()
    work()
    return threadNanoseconds() - start
  }

  private func threadNanoseconds() -> UInt64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }
}
