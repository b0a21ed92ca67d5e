import Compute
import Foundation
import Model
import TestSupport
import Testing

@testable import Manager

struct PLOTVerificationTests {
  let directory: TemporaryDirectory
  let url: URL
  let grams = SmallPLOT.grams(500, seed: 30)

  init() throws {
    directory = try TemporaryDirectory()
    url = directory.url.appending(path: "general.plot")
  }

  @Test(arguments: PLOTRowType.allCases)
  func aGoodTableIsGood(type: PLOTRowType) throws {
    let file = try SmallPLOT.write(grams, to: url, type: type)
    let found = try PLOTVerification(
      of: file, computer: KeyedRows(hidden: SmallPLOT.hidden), sample: 100, vocabulary: 200)
    #expect(found.isGood && found.sample == 100)
    #expect(found.error.leastCosine > 0.999)
    #expect(type == .float32 ? found.error.largest == 0 : found.error.largest > 1e-4)
  }

  /// Sound by its checksums, but not what the local layers give.
  @Test func rowsOfOtherWeightsAreFound() throws {
    final class Other: NGramComputer {
      func compute(_ grams: [NGram], into rows: UnsafeMutableBufferPointer<Float>) throws {
        try unsafe KeyedRows(hidden: SmallPLOT.hidden).compute(grams, into: rows)
        for i in rows.indices { unsafe rows[i] *= 1.01 }
      }
    }
    for type in PLOTRowType.allCases {
      let file = try SmallPLOT.write(grams, to: url, type: type)
      let found = try PLOTVerification(of: file, computer: Other(), sample: 200, vocabulary: 200)
      #expect(found.damage.isEmpty && found.wrongRows > 150 && !found.isGood)
    }
  }

  @Test func everyFlippedBitIsFound() throws {
    try SmallPLOT.write(grams, to: url, type: .int8)
    let good = try [UInt8](Data(contentsOf: url))
    var generator = SeededGenerator(seed: 31)
    let header = try PLOTFile(opening: url, baseHash: SmallPLOT.hash, hidden: SmallPLOT.hidden)
      .header
    for _ in 0..<200 {
      var bytes = good
      let place = Int.random(in: 4096..<bytes.count, using: &generator)
      // Between the checksums and the rows lies nothing.
      let gap = header.checksOffset + header.count * 4..<header.rowsOffset
      if gap.contains(place) { continue }
      bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
      try Data(bytes).write(to: url)
      let file = try PLOTFile(opening: url, baseHash: SmallPLOT.hash, hidden: SmallPLOT.hidden)
      #expect(!file.damage(vocabulary: 200).isEmpty, "byte \(place)")
    }
  }

  /// Checksums all right, made for a larger vocabulary: told, and never computed.
  @Test func tokensBeyondTheVocabularyAreFound() throws {
    let strangers = [NGram(NGram.none, 200, NGram.none), NGram(3, 4, .max), NGram(-7, 4, 5)]
    let file = try SmallPLOT.write(grams + strangers, to: url, type: .float16)
    let computer = KeyedRows(hidden: SmallPLOT.hidden)
    let found = try PLOTVerification(of: file, computer: computer, sample: 1000, vocabulary: 200)
    #expect(found.damage.strangers == 3 && !found.isGood && found.wrongRows == 0)
    #expect(found.sample == 500 && computer.computed == 500)
    #expect(computer.calls.joined().allSatisfy { $0.isOf(vocabulary: 200) })
  }

  /// A damaged row may hold what is no number; what is said of the others stays readable.
  @Test func errorsOfWhatIsNoNumber() {
    var error = RoundingError()
    error.add([1, 0], [1, 0])
    error.add([1, 0], [.nan, 0])
    error.add([1, 0], [.infinity, 0])
    error.add([1, 0], [1, 0])
    #expect(error.largest == .infinity)
    #expect(error.leastCosine == -1 && error.meanCosine == 0)
  }

  @Test func roundingErrorsAreWhatTheyAre() {
    var error = RoundingError()
    error.add([3, 4], [3, 4])
    #expect(error.largest == 0 && abs(error.meanCosine - 1) < 1e-12)
    error.add([1, 0], [0, 2])
    #expect(error.largest == 2 && error.leastCosine == 0 && abs(error.meanCosine - 0.5) < 1e-12)
    error.add([0, 0], [0, 0])
    #expect(error.leastCosine == 0)
    error.add([1], [.nan])
    #expect(error.largest == .infinity && error.leastCosine == -1)
  }

  @Test func whatWasAdmittedComesBack() throws {
    try SmallPLOT.write([], to: url, type: .int8)
    func store(hash: String = SmallPLOT.hash) throws -> PLOTStore {
      try PLOTStore(
        directory: directory.url, baseHash: hash, hidden: SmallPLOT.hidden, skipDepth: 2,
        cacheBytes: 1 << 20)
    }
    let computer = KeyedRows(hidden: SmallPLOT.hidden)
    let first = try store()
    try first.saveAdmitted()
    #expect(try store().restoreAdmitted(vocabulary: 200) == 0)
    _ = try NGramLookup(store: first, computer: computer).rows(for: grams, mode: .exact)
    try first.saveAdmitted()
    let second = try store()
    #expect(
      second.restoreAdmitted(vocabulary: 200) == grams.count && second.cached.rows == grams.count)
    let found = try NGramLookup(store: second, computer: computer).rows(for: grams, mode: .exact)
    #expect(found.computedNGrams == 0 && computer.computed == grams.count)
    for (gram, row) in zip(grams, found.rows) {
      let expected = SmallPLOT.format(.int8).rounded(
        KeyedRows.values(gram, hidden: SmallPLOT.hidden))
      #expect(SmallPLOT.format(.int8).decoded(row.address) == expected)
    }
    #expect(
      try store().restoreAdmitted(vocabulary: 100) == grams.count { $0.isOf(vocabulary: 100) })
    try SmallPLOT.write([], to: url, type: .int8, hash: "other")
    #expect(try store(hash: "other").restoreAdmitted(vocabulary: 200) == 0)
    try SmallPLOT.write([], to: url, type: .float16)
    #expect(try store().restoreAdmitted(vocabulary: 200) == 0)
  }

  /// A base whose table was never built has no folder for one either.
  @Test func whatWasAdmittedFindsAPlace() throws {
    let place = directory.url.appending(path: "none yet")
    func store() throws -> PLOTStore {
      try PLOTStore(
        directory: place, baseHash: SmallPLOT.hash, hidden: SmallPLOT.hidden, skipDepth: 2,
        cacheBytes: 1 << 20)
    }
    let first = try store()
    _ = try NGramLookup(store: first, computer: KeyedRows(hidden: SmallPLOT.hidden)).rows(
      for: grams, mode: .exact)
    try first.saveAdmitted()
    #expect(try store().restoreAdmitted(vocabulary: 200) == grams.count)
  }
}
