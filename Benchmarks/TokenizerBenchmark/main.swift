import Foundation
import Model

/// Tokenises all lines of a file, one by one on one thread, each time a line comes on stdin; writes
/// the seconds it took, the number of tokens and a sum that depends on every id and offset.
/// Started and asked by Benchmarks/tokenizer.py, so that both sides take turns in one run.
let arguments = CommandLine.arguments
guard arguments.count == 3 else {
  FileHandle.standardError.write(Data("usage: TokenizerBenchmark VOCAB.TXT SENTENCES.TXT\n".utf8))
  exit(2)
}
let vocabulary = try Data(contentsOf: URL(filePath: arguments[1]))
let sentences = try String(contentsOf: URL(filePath: arguments[2]), encoding: .utf8)
  .split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
let tokenizer = try WordPiece(vocabulary: [UInt8](vocabulary))
let clock = ContinuousClock()

while readLine() != nil {
  var encodings: [Encoding] = []
  encodings.reserveCapacity(sentences.count)
  let time = clock.measure {
    for sentence in sentences { encodings.append(tokenizer.encode(sentence)) }
  }
  var tokens = 0
  var sum: UInt64 = 0
  for encoding in encodings {
    tokens += encoding.count
    for (id, span) in zip(encoding.ids, encoding.spans) {
      for value in [id, span.start, span.end] { sum = sum &* 31 &+ UInt64(value) }
    }
  }
  print(Double(time.components.seconds) + Double(time.components.attoseconds) / 1e18, tokens, sum)
  fflush(nil)
}
