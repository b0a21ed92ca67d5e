import Compute
import Foundation
import Manager
import Model
import Testing

@Suite struct BaseChoiceTests {
  let temporary = TemporaryHome()

  private func addBase(_ name: String) throws -> BaseRecord {
    let source = temporary.home.root.appending(path: "source-\(name)")
    try TinyModel().write(to: source)
    return try BaseStore(home: temporary.home).importBase(from: source.path(), name: name)
  }

  @Test func aBaseIsChosenOnlyWhereThereIsNoDoubt() async throws {
    let registry = try temporary.registry()
    let choice = BaseChoice(home: temporary.home, registry)
    await #expect(throws: BaseChoiceError.none) { try await choice.choose(nil) }
    _ = try addBase("one")
    #expect(try await choice.choose(nil).base.name == "one")
    #expect(try await choice.choose(nil).reason == .only)
    _ = try addBase("two")
    await #expect(throws: BaseChoiceError.several(["one", "two"])) { try await choice.choose(nil) }
    #expect(try await choice.choose("two").reason == .named)
    try registry.set(.defaultBase, to: "two")
    #expect(try await choice.choose(nil).base.name == "two")
    #expect(try await choice.choose(nil).reason == .standard)
    #expect(try await choice.choose("one").base.name == "one")
    await #expect(throws: BaseError.self) { try await choice.choose("three") }
    // A default that is gone is not quietly replaced by another.
    try registry.set(.defaultBase, to: "three")
    await #expect(throws: BaseError.self) { try await choice.choose(nil) }
  }

  @Test func aVBERTKeepsToTheBaseItWasMadeFor() throws {
    let choice = BaseChoice(home: temporary.home, try temporary.registry())
    let record = try addBase("one")
    var spec = VBertSpec(
      task: .embed, base: "one", baseHash: record.contentHash, adapter: .none, maxLength: 6)
    #expect(try choice.base(of: spec).configuration == TinyModel().configuration)
    spec.baseHash = String(repeating: "0", count: 64)
    #expect(
      throws: BaseChoiceError.another(
        name: "one", here: record.contentHash, wanted: spec.baseHash)
    ) { try choice.base(of: spec) }
    spec.base = "two"
    #expect(throws: BaseError.self) { try choice.base(of: spec) }
  }
}
