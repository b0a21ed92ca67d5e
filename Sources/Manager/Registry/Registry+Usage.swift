internal import GRDB
package import Model

extension Registry {
  /// Adds what tenants used on a day: one fsync for all. Throws `busy` at once where another process holds
  /// the lock for changes; then nothing was added.
  package func add(usage: [Name: Usage], day: Int) throws(RegistryError) {
    guard !usage.isEmpty else { return }
    try writeAtOnce { db in
      for (tenant, used) in usage { try Self.add(used, of: tenant, day: day, db) }
    }
  }

  static func add(_ used: Usage, of tenant: Name, day: Int, _ db: Database) throws {
    try db.execute(
      sql: """
        INSERT INTO usage (day, tenant, requests, tokens, trainingRows) VALUES (?, ?, ?, ?, ?)
        ON CONFLICT (day, tenant) DO UPDATE SET
          requests = requests + excluded.requests, tokens = tokens + excluded.tokens,
          trainingRows = trainingRows + excluded.trainingRows
        """,
      arguments: [day, tenant.text, used.requests, used.tokens, used.trainingRows])
  }

  /// By day and tenant, of the days given; of one tenant where it is named. A tenant that was deleted keeps
  /// its days.
  package func usage(
    of tenant: Name? = nil, days: ClosedRange<Int>
  ) throws(RegistryError) -> [UsageRecord] {
    try read { db in
      try Row.fetchAll(
        db,
        sql: """
          SELECT * FROM usage WHERE day BETWEEN ? AND ? AND (? IS NULL OR tenant = ?)
          ORDER BY day, tenant
          """, arguments: [days.lowerBound, days.upperBound, tenant?.text, tenant?.text]
      ).map(UsageRecord.init)
    }
  }
}

extension UsageRecord {
  fileprivate init(_ row: Row) throws {
    let table = "usage"
    self.init(
      day: try row.column("day", of: table), tenant: try row.name("tenant", of: table),
      requests: try row.column("requests", of: table),
      tokens: try row.column("tokens", of: table),
      trainingRows: try row.column("trainingRows", of: table))
  }
}
