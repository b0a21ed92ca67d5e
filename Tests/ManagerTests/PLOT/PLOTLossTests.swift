import Compute
import Foundation
import Glibc
import Model
import Synchronization
import TestSupport
import Testing

@testable import Manager

/// Tables that are damaged, and tables that somebody writes to while they are in use: it takes longer,
/// the rows are the same.
struct PLOTLossTests {
  let directory: TemporaryDirectory
  let computer = KeyedRows(hidden: SmallPLOT.hidden)
  let told = Told()

  final class Told: Sendable {
    private let list = Mutex<[PLOTError]>([])
    var errors: [PLOTError] { list.withLock(\.self) }
    func add(_ error: PLOTError) { list.withLock { $0.append(error) } }
  }

  init() throws { directory = try TemporaryDirectory() }

  private func store() throws -> PLOTStore {
    try PLOTStore(
      directory: directory.url, baseHash: SmallPLOT.hash, hidden: SmallPLOT.hidden, skipDepth: 2,
      cacheBytes: 1 << 16, tell: { [told] in told.add($0) })
  }

  private func url(_ domain: String? = nil) -> URL {
    PLOTStore.file(in: directory.url, domain: domain)
  }

  private func write(_ grams: [NGram], domain: String? = nil) throws {
    try SmallPLOT.write(grams, to: url(domain), type: .float16, hash: try maker(domain))
  }

  private func maker(_ domain: String?) throws -> String {
    try Base.rowsHash(of: domain, base: SmallPLOT.hash, in: directory.url)
  }

  private func giveLayers(_ byte: UInt8 = 1, domain: String) throws {
    try Data([byte]).write(to: Base.localLayers(of: domain, in: directory.url))
  }

  private func values(_ grams: [NGram]) -> [[Float]] {
    let format = SmallPLOT.format(.float16)
    return grams.map { format.rounded(KeyedRows.values($0, hidden: SmallPLOT.hidden)) }
  }

  private func found(
    _ grams: [NGram], _ lookup: NGramLookup, domain: String? = nil, mode: PLOTMode = .exact
  ) throws -> (values: [[Float]], levels: [PLOTLevel]) {
    let segments = try domain.map {
      [NGramLookup.Segment(tokens: 0..<grams.count, domain: try lookup.store.domain($0))]
    }
    let rows = try lookup.rows(for: grams, segments: segments ?? [], mode: mode)
    return withExtendedLifetime(rows) {
      (rows.rows.map { SmallPLOT.format(.float16).decoded($0.address) }, rows.levels)
    }
  }

  /// As somebody who copies another file over it, and would rather not wait.
  private func shorten(_ url: URL) -> Bool {
    let file = unsafe open(url.path(percentEncoded: false), O_WRONLY | O_NONBLOCK)
    guard file >= 0 else { return false }
    defer { close(file) }
    return ftruncate(file, 5000) == 0
  }

  /// Turns bits of the row of that n-gram over.
  private func damage(_ gram: NGram, in url: URL, maker: String = SmallPLOT.hash) throws {
    let (place, size) = try {
      let file = try PLOTFile(opening: url, baseHash: maker, hidden: SmallPLOT.hidden)
      let row = try #require(file.find(gram, hash: gram.plotHash))
      return (row.address - file.address(of: 0), file.header.rowsOffset)
    }()
    var bytes = try Data(contentsOf: url)
    bytes[size + Int(place)] ^= 0x55
    try bytes.write(to: url, options: .atomic)
  }

  @Test(arguments: [PLOTMode.exact, .fallback])
  func aTableThatIsShortenedWhileItIsInUse(mode: PLOTMode) throws {
    let grams = SmallPLOT.grams(200, seed: 5).filter(\.hasCentre)
    try write(grams)
    let store = try store()
    let lookup = NGramLookup(store: store, computer: computer)
    let before = try found(grams, lookup, mode: mode)
    #expect(before.values == values(grams))
    #expect(!shorten(url()))
    let after = try found(grams, lookup, mode: mode)
    #expect(after.values == before.values)
    #expect(after.levels == grams.map { _ in .computed })
    #expect(shorten(url()), "it is let go")
    #expect(try found(grams, lookup, mode: mode).values == before.values)
    let path = url().path(percentEncoded: false)
    #expect(told.errors == [.lost(path: path, what: "somebody writes to it")])
    #expect(store.lost == 1)
  }

  /// A batch that holds rows of the table keeps them: who wants to write waits for it.
  @Test func rowsInUseStay() throws {
    let grams = SmallPLOT.grams(200, seed: 5).filter(\.hasCentre)
    try write(grams)
    let store = try store()
    let lookup = NGramLookup(store: store, computer: computer)
    var rows: PLOTRows? = try lookup.rows(for: grams, mode: .exact)
    #expect(!shorten(url()))
    store.letGo()
    #expect(store.lost == 1 && store.general.files.isEmpty)
    #expect(!shorten(url()))
    #expect(
      rows?.rows.map { SmallPLOT.format(.float16).decoded($0.address) } == values(grams))
    rows = nil
    #expect(shorten(url()))
  }

  /// Modes that put stand-ins for what is not stored compute the n-gram itself: what was stored is not
  /// known any more.
  @Test(arguments: [PLOTMode.exact, .fallback])
  func aTableThatIsDamagedFromTheStart(mode: PLOTMode) throws {
    let grams = SmallPLOT.grams(200, seed: 6).filter(\.hasCentre)
    try write(grams)
    let good = try Data(contentsOf: url())
    for length in [5000, good.count - 1] {
      try good.prefix(length).write(to: url(), options: .atomic)
      let lookup = NGramLookup(store: try store(), computer: computer)
      #expect(try found(grams, lookup, mode: mode).values == values(grams))
      #expect(lookup.store.lost == 1)
    }
    #expect(told.errors.count == 2)
  }

  /// Something else stands in a table's place.
  @Test(arguments: [nil, "law"])
  func aTableThatCannotBeRead(domain: String?) throws {
    let grams = SmallPLOT.grams(20, seed: 6).filter(\.hasCentre)
    if domain != nil { try write(grams) }
    try FileManager.default.createDirectory(at: url(domain), withIntermediateDirectories: false)
    let lookup = NGramLookup(store: try store(), computer: computer)
    for _ in 0..<2 {
      #expect(try found(grams, lookup, domain: domain, mode: .fallback).values == values(grams))
    }
    let path = url(domain).path(percentEncoded: false)
    #expect(told.errors == [.lost(path: path, what: "it cannot be read, not a regular file")])
    #expect(lookup.store.lost == 1)
  }

  /// Where the directory cannot be looked into nobody knows whether a domain has local layers of its own.
  @Test func aDirectoryThatCannotBeLookedInto() throws {
    let place = directory.url.appending(path: "plot")
    try Data([1]).write(to: place)
    let store = try PLOTStore(
      directory: place, baseHash: SmallPLOT.hash, hidden: SmallPLOT.hidden, skipDepth: 2,
      cacheBytes: 1 << 16, tell: { [told] in told.add($0) })
    let grams = SmallPLOT.grams(20, seed: 6).filter(\.hasCentre)
    let lookup = NGramLookup(store: store, computer: computer)
    #expect(try found(grams, lookup).values == values(grams))
    #expect(throws: PLOTError.self) { try store.domain("law") }
    #expect(told.errors.count == 1 && store.lost == 1)
  }

  /// With local layers of its own it is refused, whatever is damaged: an index that hides rows too, which
  /// the base's layers would compute otherwise.
  @Test(arguments: [100, 4095, nil])
  func aDomainThatIsDamagedFromTheStart(kept: Int?) throws {
    let grams = SmallPLOT.grams(50, seed: 7).filter(\.hasCentre)
    try giveLayers(domain: "bio")
    for domain in ["bio", "law"] {
      try write(grams, domain: domain)
      var bytes = try Data(contentsOf: url(domain))
      if let kept {
        bytes = bytes.prefix(kept)
      } else {
        bytes.replaceSubrange(4096..<4512, with: Data(count: 416))
      }
      try bytes.write(to: url(domain), options: .atomic)
    }
    let lookup = NGramLookup(store: try store(), computer: computer)
    for mode in [PLOTMode.exact, .fallback] where kept != nil || mode == .exact {
      #expect(throws: PLOTError.self) { try found(grams, lookup, domain: "bio", mode: mode) }
      #expect(try found(grams, lookup, domain: "law", mode: mode).values == values(grams))
    }
    #expect(lookup.store.lost == (kept == nil ? 0 : 1))
    #expect(throws: PLOTError.self) { try lookup.store.domain("none") }
  }

  @Test(arguments: [PLOTMode.exact, .fallback])
  func aDamagedRowIsComputedAndNothingStandsInForIt(mode: PLOTMode) throws {
    let gram = NGram(3, 4, 5)
    let grams = [gram, gram.bigram, gram.unigram]
    try write(grams)
    try damage(gram, in: url())
    let store = try store()
    let lookup = NGramLookup(store: store, computer: computer)
    for _ in 0..<3 { #expect(try found(grams, lookup, mode: mode).values == values(grams)) }
    #expect(told.errors == [.damagedRows(path: url().path(percentEncoded: false))])
    #expect(store.lost == 0 && store.damagedRows > 0)
  }

  /// Only the domain's own local layers could compute what its table had.
  @Test(arguments: [true, false])
  func aDomainWithLocalLayersOfItsOwnIsRefused(shortened: Bool) throws {
    let grams = SmallPLOT.grams(50, seed: 7).filter(\.hasCentre)
    try giveLayers(domain: "bio")
    try write(grams)
    try write(grams, domain: "bio")
    try write(grams, domain: "law")
    if !shortened {
      for domain in ["bio", "law"] {
        try damage(grams[3], in: url(domain), maker: try maker(domain))
      }
    }
    let store = try store()
    let lookup = NGramLookup(store: store, computer: computer)
    if shortened {
      _ = try found(grams, lookup, domain: "bio")
      _ = try found(grams, lookup, domain: "law")
      #expect(!shorten(url("bio")) && !shorten(url("law")))
    }
    for _ in 0..<2 {
      #expect(throws: PLOTError.lostDomain("bio")) { try found(grams, lookup, domain: "bio") }
      #expect(try found(grams, lookup, domain: "law").values == values(grams))
      #expect(try found(grams, lookup).values == values(grams))
    }
    #expect(told.errors.count == 2)
  }

  /// Files of one base that changed places, layers that were learnt anew or went: the rows are not those
  /// that the domain's layers make.
  @Test(arguments: ["exchanged", "both exchanged", "learnt anew", "removed", "given later"])
  func aTableOfOtherLocalLayersIsRefused(how: String) throws {
    let grams = SmallPLOT.grams(20, seed: 8).filter(\.hasCentre)
    if how != "given later" { try giveLayers(1, domain: "bio") }
    try giveLayers(2, domain: "law")
    for domain in ["bio", "law"] { try write(grams, domain: domain) }
    switch how {
    case "exchanged": try Data(contentsOf: url("law")).write(to: url("bio"))
    case "both exchanged":
      // Each pair of files is whole, and another domain's.
      for file in [{ url($0) }, { Base.localLayers(of: $0, in: directory.url) }]
        as [(String) -> URL]
      {
        try Data(contentsOf: file("law")).write(to: file("bio"))
      }
    case "learnt anew", "given later": try giveLayers(3, domain: "bio")
    default: try FileManager.default.removeItem(at: Base.localLayers(of: "bio", in: directory.url))
    }
    let lookup = NGramLookup(store: try store(), computer: computer)
    for _ in 0..<2 {
      #expect {
        try found(grams, lookup, domain: "bio")
      } throws: {
        "\($0)".contains("other local layers") && "\($0)".contains("plot build --domain")
      }
    }
    #expect(try found(grams, lookup, domain: "law").values == values(grams))
  }
}
