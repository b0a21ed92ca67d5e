import Foundation
import GRDB
import Model
import Testing

@testable import Manager

@Suite struct UsageTests {
  let temporary = TemporaryHome()

  @Test(arguments: RegistryStoreKind.all) func daysAddUp(kind: RegistryStoreKind) async throws {
    let registry = try kind.open(temporary.home)
    let day = UsageRecord.day(of: Date(timeIntervalSince1970: 1_796_083_200))
    try await registry.add(usage: ["acme": Usage(requests: 2, tokens: 30)], day: day)
    try await registry.add(
      usage: ["acme": Usage(requests: 1, tokens: 1 << 40), "zeta": Usage(requests: 5)], day: day)
    try await registry.add(usage: ["acme": Usage(requests: 7, tokens: 7)], day: day + 1)
    try await registry.add(usage: [:], day: day)
    let all = try await registry.usage(of: nil, days: day...day + 1)
    #expect(all.map(\.tenant) == ["acme", "zeta", "acme"])
    #expect(all.map(\.requests) == [3, 5, 7] && all[0].tokens == 30 + (1 << 40))
    #expect(all.map(\.date) == ["2026-12-01", "2026-12-01", "2026-12-02"])
    #expect(try await registry.usage(of: "zeta", days: day...day).map(\.requests) == [5])
    #expect(try await registry.usage(of: nil, days: day + 2...day + 9).isEmpty)
    #expect(UsageRecord.day(of: Date(timeIntervalSince1970: -1)) == -1)
  }

  /// Nothing waits for somebody else's transaction, and nothing is added by halves.
  @Test func aLockedRegistryIsBusyAtOnce() throws {
    let registry = try temporary.registry()
    let other = try DatabaseQueue(path: temporary.home.registry.path())
    let clock = ContinuousClock()
    try other.writeWithoutTransaction { db in
      try db.execute(sql: "BEGIN IMMEDIATE")
      let took = clock.measure {
        #expect(throws: RegistryError.self) {
          try registry.add(usage: ["acme": Usage(requests: 1)], day: 1)
        }
      }
      #expect(took < .seconds(5))
      try db.execute(sql: "ROLLBACK")
    }
    let found = try registry.usage(days: 0...2)
    #expect(found.isEmpty)
  }
}
