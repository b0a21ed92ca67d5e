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
    let (ours, theirs) = (
      try registry.tenant(named: "ours").id, try registry.tenant(named: "theirs").id
    )
    try registry.create(vbert: "secret", tenant: "theirs", spec: .embedder)
    /// Queries, and what is remembered after them.
    func cost(_ name: Name, _ tenant: Int64?) throws -> [Int] {
      let before = registry.lookUps
      #expect(try registry.find(name, tenant: tenant) == nil)
      let after = registry.lookUps
      return [after.asked - before.asked, after.remembered]
    }
    // Before its owner has asked for it, and after that, whatever was asked before.
    for remembered in [0, 1] {
      for _ in 0..<3 {
        #expect(try cost("secret", ours) == [1, remembered])
        #expect(try cost("nothing", ours) == [1, remembered])
      }
      #expect(try registry.find("secret", tenant: theirs)?.name == "secret")
    }
    let before = registry.lookUps.asked
    #expect(try registry.find("secret", tenant: theirs) != nil)
    #expect(try registry.find("secret") != nil)
    #expect(registry.lookUps.asked == before)
    #expect(try cost("secret", ours) == [1, 1])
    // Nor does it become known by being deleted, or made anew by somebody else.
    try registry.delete(vbert: "secret")
    #expect(try registry.find("secret", tenant: theirs) == nil)
    try registry.create(vbert: "secret", tenant: "ours", spec: .embedder)
    #expect(try registry.find("secret", tenant: ours) != nil)
    #expect(try cost("secret", theirs) == [1, 1])
  }
}
