import Compute
import Foundation
import Model
import TestSupport

@testable import Manager

/// Rows that say which n-gram they are of, so that a torn or misplaced row shows.
final class KeyedRows: NGramComputer {
  let hidden: Int
  private(set) var calls: [[NGram]] = []
  var computed: Int { calls.reduce(0) { $0 + $1.count } }

  init(hidden: Int) { self.hidden = hidden }

  static func values(_ gram: NGram, hidden: Int) -> [Float] {
    guard gram.hasCentre else { return [Float](repeating: 0, count: 3 * hidden) }
    var generator = SeededGenerator(seed: gram.plotHash)
    var values: [Float] = []
    for id in [gram.left, gram.centre, gram.right] {
      for _ in 0..<hidden {
        let value = Float(Int64(generator.next() >> 44)) / Float(1 << 18) - 2
        values.append(id == 0 ? 0 : value)
      }
    }
    return values
  }

  func compute(_ grams: [NGram], into rows: UnsafeMutableBufferPointer<Float>) throws {
    calls.append(grams)
    for (i, gram) in grams.enumerated() {
      for (j, value) in KeyedRows.values(gram, hidden: hidden).enumerated() {
        unsafe rows[i * 3 * hidden + j] = value
      }
    }
  }
}

extension PLOTRowFormat {
  /// What the format makes of a row.
  func rounded(_ values: [Float]) -> [Float] {
    let memory = RowMemory(byteCount: stride)
    guard let row = unsafe UnsafeMutableRawPointer(bitPattern: memory.address) else { return [] }
    unsafe encode(values, to: row)
    return withExtendedLifetime(memory) { decoded(memory.address) }
  }

  func decoded(_ address: UInt) -> [Float] {
    var values = [Float](repeating: 0, count: valueCount)
    if let row = unsafe UnsafeRawPointer(bitPattern: address) { unsafe decode(row, into: &values) }
    return values
  }
}

/// A directory of its own, gone when the object goes.
final class TemporaryDirectory {
  let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory.appending(path: "vbert-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }
}

enum SmallPLOT {
  static let hidden = 5
  static let hash = "sha256:0123"

  static func format(_ type: PLOTRowType) -> PLOTRowFormat {
    PLOTRowFormat(type: type, hidden: hidden)
  }

  @discardableResult
  static func write(
    _ grams: [NGram], to url: URL, type: PLOTRowType, hash: String = hash
  ) throws -> PLOTFile {
    let writer = try PLOTWriter(
      url, baseHash: hash, skipDepth: 2, format: format(type), count: grams.count)
    for gram in grams {
      unsafe writer.append(gram, values: KeyedRows.values(gram, hidden: hidden))
    }
    try writer.finish()
    return try PLOTFile(opening: url, baseHash: hash, hidden: hidden)
  }

  /// Different n-grams of a small vocabulary, some with no token at the sides, some with token 0.
  static func grams(_ count: Int, seed: UInt64, vocabulary: Int32 = 200) -> [NGram] {
    var generator = SeededGenerator(seed: seed)
    var seen = Set<NGram>()
    var grams: [NGram] = []
    while grams.count < count {
      let gram = NGram(
        max(NGram.none, .random(in: -20..<vocabulary, using: &generator)),
        .random(in: 0..<vocabulary, using: &generator),
        max(NGram.none, .random(in: -20..<vocabulary, using: &generator)))
      if seen.insert(gram).inserted { grams.append(gram) }
    }
    return grams
  }
}
