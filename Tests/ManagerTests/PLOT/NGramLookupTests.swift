import Compute
import Foundation
import Model
import TestSupport
import Testing

@testable import Manager

struct NGramLookupTests {
  static let hidden = SmallPLOT.hidden
  let directory: TemporaryDirectory
  let computer = KeyedRows(hidden: hidden)

  init() throws { directory = try TemporaryDirectory() }

  private func store(cacheBytes: Int = 1 << 20) throws -> PLOTStore {
    try PLOTStore(
      directory: directory.url, baseHash: SmallPLOT.hash, hidden: NGramLookupTests.hidden,
      skipDepth: 2, cacheBytes: cacheBytes)
  }

  private func write(_ grams: [NGram], domain: String? = nil, type: PLOTRowType) throws {
    try SmallPLOT.write(
      grams, to: PLOTStore.file(in: directory.url, domain: domain), type: type)
  }

  private func value(_ row: NGramRow) -> [Float] {
    let type = PLOTRowType.allCases.first { $0.elementType == row.type } ?? .float32
    let format = SmallPLOT.format(type)
    return row.address == 0
      ? [Float](repeating: 0, count: format.valueCount) : format.decoded(row.address)
  }

  private func values(_ gram: NGram, _ type: PLOTRowType) -> [Float] {
    SmallPLOT.format(type).rounded(KeyedRows.values(gram, hidden: NGramLookupTests.hidden))
  }

  /// Batches of a small vocabulary, so that n-grams repeat; id 0 in the middle too.
  private func batch(_ generator: inout SeededGenerator, vocabulary: Int32 = 12) -> [NGram] {
    var grams: [NGram] = []
    for _ in 0..<Int.random(in: 1...6, using: &generator) {
      let ids = (0..<Int.random(in: 1...30, using: &generator)).map { _ in
        Int32.random(in: 0..<vocabulary, using: &generator)
      }
      grams += NGram.list(of: ids)
    }
    return grams
  }

  /// What the modes mean, with a dictionary.
  private func naive(
    _ gram: NGram, _ mode: PLOTMode, domain: Set<NGram>, general: Set<NGram>
  ) -> (values: [Float], level: PLOTLevel) {
    guard gram.hasCentre else { return (values(gram, .float32), .trigram) }
    guard mode != .off else { return (values(gram, .float32), .computed) }
    var steps = [(gram, PLOTLevel.trigram)]
    if mode == .fallback {
      steps += [
        (gram.bigram, gram.right == NGram.none ? .unigram : .bigram), (gram.unigram, .unigram),
      ]
    }
    for (gram, level) in steps {
      if domain.contains(gram) { return (values(gram, .int8), level) }
      if general.contains(gram) { return (values(gram, .float16), level) }
    }
    return (values(mode == .exact ? gram : gram.unigram, .float16), .computed)
  }

  @Test(arguments: PLOTMode.allCases)
  func modesAreWhatADictionarySays(mode: PLOTMode) throws {
    var generator = SeededGenerator(seed: 14)
    for _ in 0..<20 {
      let general = SmallPLOT.grams(250, seed: generator.next(), vocabulary: 12)
      let domain = SmallPLOT.grams(60, seed: generator.next(), vocabulary: 12)
      try write(general, type: .float16)
      try write(domain, domain: "finance", type: .int8)
      let store = try store(cacheBytes: 0)
      let lookup = NGramLookup(store: store, computer: computer, chunk: 7)
      let grams = batch(&generator)
      let split = Int.random(in: 0...grams.count, using: &generator)
      let found = try lookup.rows(
        for: grams,
        segments: [.init(tokens: split..<grams.count, domain: try store.domain("finance"))],
        mode: mode)
      for (t, gram) in grams.enumerated() {
        let (expected, level) = naive(
          gram, mode, domain: t < split ? [] : Set(domain), general: Set(general))
        #expect(value(found.rows[t]) == expected && found.levels[t] == level)
      }
      let again = try lookup.rows(for: grams, mode: mode)
      withExtendedLifetime((found, again)) {}
    }
  }

  /// A device's memory, without the device: a dictionary that keeps every row.
  private final class KeepingRows: NGramRowCache, @unchecked Sendable {
    var kept: [UInt64: [UInt8]] = [:]
    private var places: [UInt] = []
    let format = SmallPLOT.format(.float16)

    deinit {
      for place in places { unsafe UnsafeMutableRawPointer(bitPattern: place)?.deallocate() }
    }

    func rows(for keys: [UInt64], missing: ([Int]) throws -> [NGramRow]) throws -> CachedRows {
      var numbers = [Int32](repeating: -1, count: keys.count)
      var first: [UInt64: Int32] = [:]
      var lacking: [Int] = []
      for (i, key) in keys.enumerated() where key != 0 && kept[key] == nil {
        if first[key] == nil {
          first[key] = Int32(lacking.count)
          lacking.append(i)
        }
        numbers[i] = first[key] ?? -1
      }
      for (place, row) in zip(lacking, lacking.isEmpty ? [] : try missing(lacking)) {
        guard let start = unsafe UnsafeRawPointer(bitPattern: row.address) else { continue }
        kept[keys[place]] = unsafe [UInt8](
          UnsafeRawBufferPointer(start: start, count: format.byteCount))
      }
      return CachedRows(
        rows: keys.map { key in
          guard let bytes = kept[key] else { return .zero }
          let place = UnsafeMutableRawPointer.allocate(byteCount: bytes.count, alignment: 16)
          unsafe place.copyMemory(from: bytes, byteCount: bytes.count)
          places.append(UInt(bitPattern: place))
          return NGramRow(address: UInt(bitPattern: place), type: .float16)
        }, missing: numbers, owner: self)
    }
  }

  @Test func rowsByWayOfADeviceAreTheSame() throws {
    try write(SmallPLOT.grams(250, seed: 3, vocabulary: 12), type: .float16)
    let lookup = NGramLookup(store: try store(cacheBytes: 0), computer: computer)
    let device = KeepingRows()
    var generator = SeededGenerator(seed: 16)
    var known: Set<NGram> = []
    for _ in 0..<10 {
      let grams = batch(&generator)
      let found = try lookup.rows(for: grams, on: device)
      let plain = try lookup.rows(for: grams, mode: .exact)
      for (t, gram) in grams.enumerated() {
        #expect(value(found.rows[t]) == value(plain.rows[t]))
        #expect(found.levels[t] == (known.contains(gram) ? .trigram : plain.levels[t]))
      }
      known.formUnion(grams)
      withExtendedLifetime((found, plain)) {}
    }
    #expect(device.kept.count == Set(known.filter { $0.hasCentre }).count)
  }

  @Test func everyMissIsComputedOnceABatchAndThenKept() throws {
    let store = try store()
    let lookup = NGramLookup(store: store, computer: computer, chunk: 4)
    var generator = SeededGenerator(seed: 15)
    let grams = batch(&generator)
    let distinct = Set(grams.filter { $0.hasCentre })
    let first = try lookup.rows(for: grams, mode: .exact)
    #expect(computer.computed == distinct.count && first.computedNGrams == distinct.count)
    #expect(first.statistics.computed == grams.count { $0.hasCentre })
    let second = try lookup.rows(for: grams, mode: .exact)
    #expect(computer.computed == distinct.count && second.computedNGrams == 0)
    #expect(second.statistics.hitRate == 1)
    for (a, b) in zip(first.rows, second.rows) { #expect(value(a) == value(b)) }
    withExtendedLifetime((first, second)) {}
  }

  /// A row computed for one batch, from the cache, and with no room to admit it: the same bits.
  @Test func answersDoNotDependOnWhatWasAdmitted() throws {
    var generator = SeededGenerator(seed: 16)
    for type in PLOTRowType.allCases {
      try write([], type: type)
      let with = try store()
      let without = try store(cacheBytes: 0)
      #expect(with.format.type == type)
      let warm = NGramLookup(store: with, computer: computer)
      let cold = NGramLookup(store: without, computer: computer)
      for mode in [PLOTMode.exact, .fallback, .exact, .fallback] {
        let grams = batch(&generator)
        let a = try warm.rows(for: grams, mode: mode)
        let b = try cold.rows(for: grams, mode: mode)
        for (a, b) in zip(a.rows, b.rows) { #expect(value(a) == value(b) && a.type == b.type) }
        withExtendedLifetime((a, b)) {}
      }
    }
  }

  @Test func twoDomainsShareAComputedRow() throws {
    try write([NGram(7, 8, 9)], domain: "a", type: .float16)
    try write([NGram(7, 8, 8)], domain: "b", type: .float16)
    let store = try store()
    let lookup = NGramLookup(store: store, computer: computer)
    let grams = [NGram(1, 2, 3), NGram(7, 8, 9), NGram(1, 2, 3), NGram(7, 8, 9)]
    let found = try lookup.rows(
      for: grams,
      segments: [
        .init(tokens: 0..<2, domain: try store.domain("a")),
        .init(tokens: 2..<4, domain: try store.domain("b")),
      ], mode: .exact)
    #expect(found.levels == [.computed, .trigram, .computed, .computed])
    #expect(found.computedNGrams == 2)
    #expect(Set(computer.calls.flatMap { $0 }) == [NGram(1, 2, 3), NGram(7, 8, 9)])
  }

  @Test func aJobsRowsHoldNoPin() throws {
    let store = try store()
    let lookup = NGramLookup(store: store, computer: computer)
    let grams = SmallPLOT.grams(100, seed: 17)
    _ = try lookup.rows(for: Array(grams[..<50]), mode: .exact)
    let kept = try lookup.rows(for: grams, mode: .exact, keep: .job)
    #expect(kept.computedNGrams == 50)
    #expect((0..<RowPins.most).compactMap { _ in store.cache.pins.pin() }.count == RowPins.most)
    for (gram, row) in zip(grams, kept.rows) { #expect(value(row) == values(gram, .float16)) }
    for (gram, row) in zip(grams, kept.rows) {
      #expect(store.cache.find(gram, hash: gram.plotHash) != row.address)
    }
    withExtendedLifetime(kept) {}
  }

  @Test func withAllPinsTakenEverythingIsComputed() throws {
    let store = try store()
    let lookup = NGramLookup(store: store, computer: computer)
    let grams = SmallPLOT.grams(10, seed: 18)
    _ = try lookup.rows(for: grams, mode: .exact)
    let pins = (0..<RowPins.most).compactMap { _ in store.cache.pins.pin() }
    let found = try lookup.rows(for: grams, mode: .exact)
    #expect(found.computedNGrams == 10)
    for (gram, row) in zip(grams, found.rows) { #expect(value(row) == values(gram, .float16)) }
    withExtendedLifetime((pins, found)) {}
  }

  @Test func nothingIsAdmittedWhenComputingFails() throws {
    final class Failing: NGramComputer {
      func compute(_ grams: [NGram], into rows: UnsafeMutableBufferPointer<Float>) throws {
        throw ComputeError.device("lost")
      }
    }
    let store = try store()
    let lookup = NGramLookup(store: store, computer: Failing())
    #expect(throws: ComputeError.device("lost")) {
      try lookup.rows(for: [NGram(1, 2, 3)], mode: .exact)
    }
    #expect(store.cached.rows == 0)
  }

  @Test func domainsThatAreNotThere() throws {
    let store = try store()
    for bad in [
      "", "General", "general", "admitted", "a/b", "..", String(repeating: "a", count: 65),
    ] {
      #expect(throws: PLOTError.domainName(bad)) { try store.domain(bad) }
    }
    #expect(throws: PLOTError.self) { try store.domain("law") }
    #expect(try store.domain(nil) === store.general)
    try write([NGram(1, 2, 3)], domain: "law", type: .float16)
    #expect(try store.domain("law") === store.domain("law"))
  }

  /// Lanes that share a small cache, so that rows come and go all the time.
  @Test func lanesAtOnceGetWhatALaneAloneGets() async throws {
    try write(SmallPLOT.grams(100, seed: 40), type: .int8)
    let store = try store(cacheBytes: 300 * 100)
    #expect(store.cached.capacity > 100 && store.cached.capacity < 500)
    let wrong = await withTaskGroup(of: Int.self) { lanes in
      for lane in 0..<4 {
        lanes.addTask { NGramLookupTests.wrongRows(store, lane: UInt64(lane)) }
      }
      return await lanes.reduce(0, +)
    }
    #expect(wrong == 0 && store.rejected > 0)
  }

  private static func wrongRows(_ store: PLOTStore, lane: UInt64) -> Int {
    let lookup = NGramLookup(store: store, computer: KeyedRows(hidden: hidden))
    var generator = SeededGenerator(seed: lane)
    var wrong = 0
    for _ in 0..<150 {
      let grams = SmallPLOT.grams(40, seed: generator.next() % 50, vocabulary: 100)
      guard let found = try? lookup.rows(for: grams, mode: .exact) else { return .max }
      for (gram, row) in zip(grams, found.rows) {
        let expected = store.format.rounded(KeyedRows.values(gram, hidden: hidden))
        if store.format.decoded(row.address) != expected { wrong += 1 }
      }
      withExtendedLifetime(found) {}
    }
    return wrong
  }

  struct Cases: Decodable {
    struct Case: Decodable {
      var ids: [Int32]
      var grams: [[Int32]]?
      var levels: [UInt8]?
    }
    var cases: [Case]
    var known_ngrams: [[Int32]]
  }

  /// The goldens' n-grams and levels, both as a restriction and as a real table.
  @Test(.enabled(if: Shared.exists, "\(Shared.missing)"), arguments: [2, 3])
  func goldenFallback(skipDepth: Int) throws {
    let cases = try JSONDecoder().decode(
      Cases.self, from: Shared.bytes("golden/skip_minilm_k\(skipDepth).cases.json"))
    let known = Set(cases.known_ngrams.map { NGram(golden: $0) })
    var checked = 0
    for golden in cases.cases {
      guard let grams = golden.grams, let levels = golden.levels else { continue }
      checked += 1
      let expected = grams.map { NGram(golden: $0) }
      let unigrams = Set(golden.ids.map { NGram(NGram.none, $0, NGram.none) })
      try write(Array(known.union(unigrams)), type: .float32)
      let lookup = NGramLookup(store: try store(), computer: computer)
      let table = try lookup.rows(for: NGram.list(of: golden.ids), mode: .fallback)
      let restricted = try lookup.rows(for: NGram.list(of: golden.ids), known: known)
      for found in [table, restricted] {
        #expect(found.levels.map(\.rawValue) == levels)
        for (row, gram) in zip(found.rows, expected) {
          #expect(value(row) == values(gram, .float32))
        }
      }
    }
    #expect(checked == 4)
  }
}

extension NGram {
  /// Of a list of three ids, where the goldens have 0 for none.
  fileprivate init(golden ids: [Int32]) {
    let ids = ids.map { $0 == 0 ? NGram.none : $0 }
    self.init(ids[0], ids[1], ids[2])
  }
}
