import Foundation
import GRDB
import Manager
import Model
import Testing

/// What 10,000 registered vBERTs cost. The figures are printed; the limits are ten times what a slow
/// machine needs.
@Suite(.serialized) struct ScaleTests {
  let temporary = TemporaryHome()
  static let count = 10_000

  init() throws {
    _ = try temporary.registry()
    let spec = try String(
      decoding: JSONEncoder().encode(
        VBertSpec.example(labels: (0..<8).map { "some label \($0)" })), as: UTF8.self)
    try DatabaseQueue(path: temporary.home.registry.path()).write { db in
      for n in 1...Self.count {
        try db.execute(
          sql: "INSERT INTO vberts VALUES (?, ?, 1, ?, 1, 0)", arguments: [n, "vbert-\(n)", spec])
        try db.execute(
          sql: "INSERT INTO versions VALUES (?, 1, ?, ?, x'00', 1000, '{}', '', 0)",
          arguments: [n, spec, String(n + 1 << 40, radix: 16) + String(repeating: "0", count: 21)])
        try db.execute(sql: "INSERT INTO changes (vbert) VALUES (?)", arguments: ["vbert-\(n)"])
      }
    }
  }

  @Test func tenThousandRegistered() throws {
    let clock = ContinuousClock()
    let before = residentBytes()
    var opened: Registry?
    let open = try clock.measure {
      opened = try temporary.registry(remembered: 16 << 20)
      _ = try opened?.find("vbert-5000")
    }
    let registry = try #require(opened)
    var found = 0
    let first = try clock.measure {
      for n in 1...Self.count {
        guard try registry.find("vbert-\(n)")?.version?.number == 1 else { continue }
        found += 1
      }
    }
    let memory = residentBytes() - before
    let again = try clock.measure {
      for n in 1...Self.count where try registry.find("vbert-\(n)") != nil { found += 1 }
    }
    #expect(found == 2 * Self.count)
    // A change costs the next look-up one query, not ten thousand.
    try registry.rollback(vbert: "vbert-1", to: 1)
    let afterChange = try clock.measure { _ = try registry.find("vbert-2") }
    print(
      """
      10,000 vBERTs: open \(open), a first look-up \(first / Self.count), \
      a repeated one \(again / Self.count), the one after a change \(afterChange), \
      memory \(memory >> 20) MiB
      """)
    #expect(open < .seconds(10))
    #expect(memory < 200 << 20)
  }

  /// Of this process, in bytes.
  private func residentBytes() -> Int {
    let pages = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8))?
      .split(separator: " ").dropFirst().first.flatMap { Int($0) }
    return (pages ?? 0) * 4096
  }
}
