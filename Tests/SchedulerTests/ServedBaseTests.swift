import Foundation
import Manager
import Model
import ServingSupport
import TestSupport
import Testing

@testable import Scheduler

/// Version, base and domain are found once, when a request arrives.
@Suite struct ServedBaseTests {
  private let tables: URL

  init() {
    tables = URL(filePath: NSTemporaryDirectory()).appending(path: "pins-\(UUID().uuidString)")
  }

  private func write(domain: String?) throws {
    try FileManager.default.createDirectory(at: tables, withIntermediateDirectories: true)
    let format = PLOTRowFormat(type: .float32, hidden: TinyModel.configuration.hiddenSize)
    let writer = try PLOTWriter(
      PLOTStore.file(in: tables, domain: domain), baseHash: "tiny",
      skipDepth: TinyModel.configuration.skipDepth, format: format, count: 1)
    let values = [Float](repeating: 1, count: format.valueCount)
    unsafe values.withUnsafeBufferPointer { values in
      if let start = values.baseAddress { unsafe writer.append(NGram(5, 6, 7), values: start) }
    }
    try writer.finish()
  }

  private func spec(_ domain: String?, hash: String = "tiny") -> VBertSpec {
    var spec = TinyModel.spec(.embed, .none)
    (spec.domain, spec.baseHash) = (domain, hash)
    return spec
  }

  @Test func aDomainIsOpenedOnceAndKnownByItsNumber() throws {
    defer { try? FileManager.default.removeItem(at: tables) }
    for domain in [nil, "law", "bio"] { try write(domain: domain) }
    let base = try TinyModel.served(tables: tables)
    #expect(try base.pinned(spec(nil))?.tables()?.name == nil)
    #expect(try base.pinned(spec("bio")) == nil)
    let bio = try base.pin(spec("bio"))
    let law = try base.pin(spec("law"))
    #expect(try bio.tables()?.name == "bio" && law.tables()?.name == "law")
    #expect(try bio.tables()?.files.count == 2)
    #expect(try base.pinned(spec("bio"))?.domain == bio.domain && bio.domain != law.domain)
    #expect(throws: PLOTError.self) { try base.pin(spec("med")) }
    // Nothing is remembered of one that was not there.
    try write(domain: "med")
    #expect(try base.pin(spec("med")).tables()?.name == "med")
  }

  @Test func aBaseOfAnotherHashIsRefusedBeforeAnythingIsOpened() throws {
    let base = try TinyModel.served()
    let wrong = ServedBaseError.another(name: "tiny", found: "tiny", expected: "other")
    #expect(throws: wrong) { try base.pin(spec("nowhere", hash: "other")) }
    #expect(throws: wrong) { try base.pinned(spec(nil, hash: "other")) }
  }

  @Test func aDenseBaseHasNoTables() throws {
    var dense = TinyModel.configuration
    dense.skipDepth = 0
    let base = try TinyModel.served(dense)
    let pin = try #require(try base.pinned(spec("law")))
    #expect(try base.plot == nil && pin.tables() == nil)
  }
}
