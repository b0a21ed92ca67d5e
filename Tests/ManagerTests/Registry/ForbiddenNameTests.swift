import Foundation
import Model
import Testing

@testable import Manager

/// What is another tenant's is looked up like what does not exist: the same work, and nothing of it
/// remembered. (How long it takes is measured by scripts/attack/forbidden.py.)
@Suite struct ForbiddenNameTests {
  let temporary = TemporaryHome()

  @Test func unknownAndForbiddenNamesCostTheSame() throws {
    let registry = try temporary.registry()
    _ = try registry.createTenant("ours")
    _ = try registry.createTenant("theirs")
    try registry.create(vbert: "theirs/secret", spec: .embedder)
    /// Queries, and what is remembered after them.
    func cost(_ name: VBertName) throws -> [Int] {
      let before = registry.lookUps
      #expect(try registry.find(name) == nil)
      let after = registry.lookUps
      return [after.asked - before.asked, after.remembered]
    }
    // Before its owner has asked for it, and after that, whatever was asked before.
    for remembered in [0, 1] {
      for _ in 0..<3 {
        #expect(try cost("ours/secret") == [1, remembered])
        #expect(try cost("ours/nothing") == [1, remembered])
      }
      #expect(try registry.find("theirs/secret")?.name == "theirs/secret")
    }
    let before = registry.lookUps.asked
    #expect(try registry.find("theirs/secret") != nil)
    #expect(registry.lookUps.asked == before)
    #expect(try cost("ours/secret") == [1, 1])
    // Nor does it become known by being deleted, or made anew by somebody else.
    try registry.delete(vbert: "theirs/secret")
    #expect(try registry.find("theirs/secret") == nil)
    try registry.create(vbert: "ours/secret", spec: .embedder)
    #expect(try registry.find("ours/secret") != nil)
    #expect(try cost("theirs/secret") == [1, 1])
  }
}
