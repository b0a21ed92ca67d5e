import Compute
import Files
import Foundation
import Model
import TestSupport
import Testing

@testable import Manager

struct PLOTFileTests {
  let directory: TemporaryDirectory
  let url: URL

  init() throws {
    directory = try TemporaryDirectory()
    url = directory.url.appending(path: "general.plot")
  }

  @Test(arguments: PLOTRowType.allCases)
  func findsWhatWasWrittenAndNothingElse(type: PLOTRowType) throws {
    let grams = SmallPLOT.grams(3_000, seed: 1)
    let file = try SmallPLOT.write(Array(grams[..<2_000]), to: url, type: type)
    #expect(file.count == 2_000)
    #expect(file.header.unigrams == grams[..<2_000].count { $0 == $0.unigram })
    for gram in grams[..<2_000] {
      let row = try #require(file.find(gram, hash: gram.plotHash))
      #expect(row.type == type.elementType)
      #expect(
        file.format.decoded(row.address)
          == file.format.rounded(KeyedRows.values(gram, hidden: SmallPLOT.hidden)))
    }
    for gram in grams[2_000...] { #expect(file.find(gram, hash: gram.plotHash) == nil) }
    #expect(file.damage(vocabulary: 1 << 24).isEmpty)
    #expect(file.damagedRows == 0)
  }

  @Test func anEmptyTableIsATable() throws {
    let file = try SmallPLOT.write([], to: url, type: .float16)
    #expect(file.find(NGram(1, 2, 3), hash: NGram(1, 2, 3).plotHash) == nil)
    #expect(file.damage(vocabulary: 1 << 24).isEmpty)
  }

  @Test func theRowsOfAnotherBaseAreRefused() throws {
    try SmallPLOT.write([NGram(NGram.none, 5, NGram.none)], to: url, type: .float16)
    let path = url.path(percentEncoded: false)
    let error = PLOTError.otherBase(path: path, found: SmallPLOT.hash, expected: "sha256:99")
    #expect(throws: error) {
      try PLOTFile(opening: url, baseHash: "sha256:99", hidden: SmallPLOT.hidden)
    }
    #expect(error.description.contains("sha256:99") && error.description.contains(SmallPLOT.hash))
    #expect(throws: PLOTError.self) {
      try PLOTFile(opening: url, baseHash: SmallPLOT.hash, hidden: 6)
    }
  }

  /// Each lie is one that the checksum covers, so the liar had to compute it anew.
  @Test(arguments: [
    ("hidden", 16, 0), ("hidden", 16, 1 << 20), ("hidden", 16, 6), ("skip depth", 24, 0),
    ("skip depth", 24, Int.max), ("row type", 32, 3), ("row type", 32, 1 << 40),
    ("count", 40, 99), ("count", 40, 101), ("count", 40, -1), ("count", 40, Int.max),
    ("unigrams", 48, 101), ("bigrams", 56, 101), ("capacity", 64, 0), ("capacity", 64, 255),
    ("capacity", 64, 512), ("capacity", 64, 1 << 62), ("probe", 72, 256), ("probe", 72, -1),
  ])
  func headersThatLie(what: String, offset: Int, value: Int) throws {
    try SmallPLOT.write(SmallPLOT.grams(100, seed: 2), to: url, type: .int8)
    var bytes = try [UInt8](Data(contentsOf: url))
    bytes.replaceSubrange(offset..<offset + 8, with: littleEndian(UInt64(bitPattern: Int64(value))))
    resign(&bytes)
    try Data(bytes).write(to: url)
    #expect(throws: PLOTError.self, "\(what) = \(value)") { try open() }
  }

  @Test func otherThingsThatAreNoTable() throws {
    try SmallPLOT.write(SmallPLOT.grams(100, seed: 2), to: url, type: .int8)
    let good = try [UInt8](Data(contentsOf: url))
    func expectError(_ bytes: [UInt8], _ comment: Comment) throws {
      try Data(bytes).write(to: url)
      #expect(throws: PLOTError.self, comment) { try open() }
    }
    try expectError([], "empty")
    try expectError(Array(good[..<4095]), "half a header")
    try expectError(Array(good.dropLast()), "a byte short")
    try expectError(good + [0], "a byte long")
    try expectError([UInt8](repeating: 0, count: good.count), "zeros")
    var version = good
    version[8] = 1
    try expectError(version, "version")
    var hash = good
    hash[88] = 255
    hash[89] = 255
    resign(&hash)
    try expectError(hash, "hash length")
    var text = good
    text[93] = 0xFF
    resign(&text)
    try expectError(text, "hash is not UTF-8")
    #expect(throws: PLOTError.self) {
      try PLOTFile(opening: directory.url, baseHash: SmallPLOT.hash, hidden: SmallPLOT.hidden)
    }
  }

  /// A header that checks out and stops searches too early hides rows; verification says so.
  @Test func aSearchCutShortIsDamage() throws {
    let grams = SmallPLOT.grams(150, seed: 3)
    try SmallPLOT.write(grams, to: url, type: .int8)
    var bytes = try [UInt8](Data(contentsOf: url))
    bytes.replaceSubrange(72..<80, with: littleEndian(0))
    resign(&bytes)
    try Data(bytes).write(to: url)
    let file = try open()
    let hidden = grams.count { file.find($0, hash: $0.plotHash) == nil }
    #expect(hidden > 0 && file.damage(vocabulary: 1 << 24).rows == hidden)
  }

  /// Whatever happens to the bytes: an error, or right rows and misses; never a wrong row, never a
  /// read outside. Half the time the damage is signed, so that it gets past the header's checksum.
  @Test func fuzzedDamageCostsTimeNotTruth() throws {
    let grams = SmallPLOT.grams(150, seed: 3)
    for type in PLOTRowType.allCases {
      try SmallPLOT.write(grams, to: url, type: type)
      let good = try [UInt8](Data(contentsOf: url))
      let format = SmallPLOT.format(type)
      let expected = grams.map { format.rounded(KeyedRows.values($0, hidden: SmallPLOT.hidden)) }
      let damaged = directory.url.appending(path: "damaged.plot")
      try Fuzz.run { generator, seed in
        var bytes = good
        if Bool.random(using: &generator) {
          for _ in 0..<Int.random(in: 1...40, using: &generator) {
            // Mostly past the header's zeros, where there is something to damage.
            let from = Bool.random(using: &generator) ? 4096 : 0
            let place = Int.random(in: from..<bytes.count, using: &generator)
            bytes[place] = .random(in: 0...255, using: &generator)
          }
        } else {
          generator.mutate(&bytes)
        }
        if Bool.random(using: &generator), bytes.count >= 4096 { resign(&bytes) }
        try Data(bytes).write(to: damaged)
        guard
          let file = try? PLOTFile(
            opening: damaged, baseHash: SmallPLOT.hash, hidden: SmallPLOT.hidden)
        else { return }
        let touched = bytes != good
        var missed = 0
        for (gram, expected) in zip(grams, expected) {
          guard let row = file.find(gram, hash: gram.plotHash) else {
            missed += 1
            continue
          }
          if file.format == format {
            #expect(file.format.decoded(row.address) == expected, "seed \(seed)")
          }
        }
        if missed > 0 {
          #expect(touched && !file.damage(vocabulary: 1 << 24).isEmpty, "seed \(seed)")
        }
      }
    }
  }

  @Test func anUnfinishedTableLeavesTheOldOne() throws {
    try SmallPLOT.write([NGram(1, 2, 3)], to: url, type: .float16)
    do {
      let writer = try PLOTWriter(
        url, baseHash: SmallPLOT.hash, skipDepth: 2, format: SmallPLOT.format(.float16), count: 2)
      unsafe writer.append(
        NGram(4, 5, 6), values: KeyedRows.values(NGram(4, 5, 6), hidden: SmallPLOT.hidden))
    }
    #expect(try open().find(NGram(1, 2, 3), hash: NGram(1, 2, 3).plotHash) != nil)
    let left = try FileManager.default.contentsOfDirectory(atPath: directory.url.path())
    #expect(left == ["general.plot"])
  }

  @Test func aTableThatIsReplacedStaysReadable() throws {
    let old = try SmallPLOT.write([NGram(1, 2, 3)], to: url, type: .float16)
    let new = try SmallPLOT.write([NGram(4, 5, 6)], to: url, type: .float16)
    #expect(old.find(NGram(1, 2, 3), hash: NGram(1, 2, 3).plotHash) != nil)
    #expect(new.find(NGram(1, 2, 3), hash: NGram(1, 2, 3).plotHash) == nil)
  }

  private func open() throws -> PLOTFile {
    try PLOTFile(opening: url, baseHash: SmallPLOT.hash, hidden: SmallPLOT.hidden)
  }

  private func littleEndian(_ number: UInt64) -> [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
  }

  /// Makes the header's checksum right.
  private func resign(_ bytes: inout [UInt8]) {
    bytes.replaceSubrange(12..<16, with: [0, 0, 0, 0])
    let checksum = unsafe bytes[..<4096].withUnsafeBytes { unsafe CRC32.of($0) }
    bytes.replaceSubrange(12..<16, with: littleEndian(UInt64(checksum))[..<4])
  }
}
