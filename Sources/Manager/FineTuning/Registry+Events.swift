internal import Foundation
internal import GRDB

extension Registry {
  /// Of one fine-tuning.
  private static let mostEvents = 1000

  /// Writes down what happened, and how many tokens were gone through; the oldest events of many go.
  package func note(
    _ events: [FineTuningEvent], of number: Int64, tokens: Int?
  ) throws(RegistryError) {
    try write { db in
      try Self.note(events, of: number, db)
      guard let tokens else { return }
      try db.execute(
        sql: "UPDATE fineTunings SET tokens = ? WHERE number = ?", arguments: [tokens, number])
    }
  }

  static func note(
    _ events: [FineTuningEvent], of number: Int64, _ db: Database
  ) throws {
    // Deleted with its tenant.
    let row = try Row.fetchOne(
      db, sql: "SELECT 1 FROM fineTunings WHERE number = ?", arguments: [number])
    guard row != nil else { return }
    for event in events {
      try db.execute(
        sql: """
          INSERT INTO fineTuningEvents (fineTuning, time, level, text, data) VALUES (?, ?, ?, ?, ?)
          """,
        arguments: [
          number, event.time.timeIntervalSince1970, event.level.rawValue, event.text,
          try JSONText.encode(finite: event.data),
        ])
    }
    try db.execute(
      sql: """
        DELETE FROM fineTuningEvents WHERE number IN (SELECT number FROM fineTuningEvents
          WHERE fineTuning = ? ORDER BY number DESC LIMIT -1 OFFSET ?)
        """, arguments: [number, mostEvents])
  }

  /// Those after the event of that number, the oldest first.
  package func events(
    of number: Int64, after event: Int64, limit: Int
  ) throws(RegistryError) -> [FineTuningEvent] {
    try read { db in
      try Row.fetchAll(
        db,
        sql: """
          SELECT * FROM fineTuningEvents WHERE fineTuning = ? AND number > ?
          ORDER BY number LIMIT ?
          """, arguments: [number, event, max(0, limit)]
      ).map(FineTuningEvent.init)
    }
  }
}

extension FineTuningEvent {
  fileprivate init(_ row: Row) throws {
    let table = "fineTuningEvents"
    let level: String = try row.column("level", of: table)
    self.init(
      try row.column("text", of: table), Level(rawValue: level) ?? .info,
      data: try row.json("data", of: table), number: try row.column("number", of: table),
      time: try row.date("time", of: table))
  }
}
