internal import Files
internal import Foundation

/// Lines of text files in rounds, without end: each round takes from every file a run of lines in
/// proportion to its size; a file begins again where it ends.
///
/// A round depends on the files and its number alone, so that a stopped run goes on where it was; in
/// memory is one round, however large the files are.
struct CorpusRounds {
  /// Every so many lines of a file one is held out, to measure on.
  static let heldOutEvery = 199

  private var readers: [FileLoop]
  private let counts: [Int]

  /// About `lines` a round, at least two a file (the second can follow the first). Throws
  /// `CorpusError` and what reading throws.
  init(_ paths: [String], lines: Int) throws {
    readers = try paths.map { try FileLoop(path: $0) }
    let sizes = try paths.map { path -> Int in
      let attributes = try FileManager.default.attributesOfItem(atPath: path)
      return max(1, (attributes[.size] as? NSNumber)?.intValue ?? 1)
    }
    let all = sizes.reduce(0, +)
    counts = sizes.map { max(2, Int(Double(lines) * Double($0) / Double(all))) }
  }

  /// The next round: a run of neighbouring lines of each file.
  mutating func next() throws -> [[String]] {
    var runs: [[String]] = []
    for i in readers.indices { runs.append(try readers[i].take(counts[i])) }
    return runs
  }

  /// Leaves out the next `rounds`.
  mutating func skip(_ rounds: Int) throws {
    for i in readers.indices { try readers[i].skip(rounds * counts[i]) }
  }

  /// Up to `lines` of the lines that no round brings, the same number of each file.
  static func heldOut(_ paths: [String], lines: Int) throws -> [String] {
    var found: [String] = []
    let each = max(1, lines / max(1, paths.count))
    for path in paths {
      let reader = try LineReader(path: path)
      var (number, taken) = (0, 0)
      while taken < each, let line = try FileLoop.next(reader) {
        if isHeldOut(number) {
          found.append(line)
          taken += 1
        }
        number += 1
      }
    }
    return found
  }

  static func isHeldOut(_ number: Int) -> Bool { number % heldOutEvery == heldOutEvery / 2 }
}

/// A file read again and again, without blank and held-out lines.
private struct FileLoop {
  private let path: String
  private var reader: LineReader
  /// Not blank, of this pass.
  private var number = 0
  private var taken = 0
  /// Lines of a pass, once one is complete.
  private var length: Int?

  init(path: String) throws {
    self.path = path
    reader = try LineReader(path: path)
  }

  /// The next line that is not blank.
  static func next(_ reader: LineReader) throws -> String? {
    while let line = try reader.next() {
      if line.isBlank { continue }
      return String(decoding: line.bytes, as: UTF8.self)
    }
    return nil
  }

  mutating func take(_ count: Int) throws -> [String] {
    var lines: [String] = []
    while lines.count < count {
      if let line = try FileLoop.next(reader) {
        if !CorpusRounds.isHeldOut(number) {
          lines.append(line)
          taken += 1
        }
        number += 1
        continue
      }
      guard taken > 0 else { throw CorpusError.noText(path: path) }
      length = taken
      (number, taken) = (0, 0)
      reader = try LineReader(path: path)
    }
    return lines
  }

  mutating func skip(_ count: Int) throws {
    var rest = count
    while rest > 0 {
      // A whole pass leaves everything as it is.
      if let length { rest %= length }
      let part = min(rest, 4096)
      _ = try take(part)
      rest -= part
    }
  }
}

/// What can be wrong with text to learn from.
package enum CorpusError: Error, Equatable, CustomStringConvertible {
  case noText(path: String)

  package var description: String {
    switch self {
    case .noText(let path): "\(path) holds too little text: give a file of more lines"
    }
  }
}
