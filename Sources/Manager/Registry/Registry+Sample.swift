internal import GRDB

extension Registry {
  /// Current versions that have a blob, from a random place on; fewer than `count` only where there
  /// are no more; damaged rows are left out. O(count log vBERTs).
  package func sampleVersions(_ count: Int) throws(RegistryError) -> [VersionRecord] {
    try read { db in
      let last = try Int64.fetchOne(db, sql: "SELECT MAX(id) FROM vberts") ?? 0
      guard last > 0, count > 0 else { return [] }
      let start = Int64.random(in: 1...last)
      let statement = try db.cachedStatement(
        sql: Self.versions
          + """
           AND n.number = v.current WHERE n.blob IS NOT NULL AND v.id >= ? AND v.id < ?
          ORDER BY v.id LIMIT ?
          """)
      var found: [VersionRecord] = []
      for range in [start..<Int64.max, 0..<start] where found.count < count {
        found += try Row.fetchAll(
          statement, arguments: [range.lowerBound, range.upperBound, count - found.count]
        ).compactMap { try? VersionRecord($0) }
      }
      return found
    }
  }
}
