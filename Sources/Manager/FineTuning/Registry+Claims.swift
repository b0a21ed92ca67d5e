internal import Files
internal import Foundation
internal import GRDB
internal import Model

extension Registry {
  /// After so many trainings that ended with their process, it is what is trained that ends them.
  private static let mostAttempts = 5

  /// The next one in the queue, which runs in this process from now on; nil where none waits. Tenants take
  /// turns: those of whom fewest run, then who has waited longest since his last. O(tenants that wait).
  package func claimFineTuning() throws(RegistryError) -> ClaimedFineTuning? {
    guard try isFineTuningQueued() else { return nil }
    let lockName = Home.jobLockPrefix + UUID().uuidString.lowercased()
    let held: FileLock?
    // The lock first: a running one without its lock would look dead to others.
    do { held = try home.lock(lockName) } catch { throw .home(error) }
    guard let lock = held else { return nil }
    do {
      let record = try write { db in try Self.claim(lock: lockName, db) }
      guard let record else {
        lock.removeFile()
        return nil
      }
      return ClaimedFineTuning(
        record: record, running: RunningJob(id: record.number) { lock.removeFile() })
    } catch {
      lock.removeFile()
      throw error
    }
  }

  /// Whether any waits for its turn. O(1).
  package func isFineTuningQueued() throws(RegistryError) -> Bool {
    try read { db in
      try Row.fetchOne(db, sql: "SELECT 1 FROM fineTunings WHERE state = 'queued' LIMIT 1") != nil
    }
  }

  private static func claim(lock: String, _ db: Database) throws -> FineTuningRecord? {
    let waiting = try Row.fetchAll(
      db,
      sql: """
        SELECT w.tenant, w.number, t.name,
          (SELECT COUNT(*) FROM fineTunings r WHERE r.state = 'running' AND r.tenant = w.tenant)
            AS running,
          COALESCE((SELECT MAX(s.started) FROM fineTunings s WHERE s.tenant = w.tenant), 0)
            AS latest
        FROM (SELECT tenant, MIN(number) AS number FROM fineTunings f WHERE state = 'queued'
            AND NOT EXISTS (SELECT 1 FROM fineTunings o
              WHERE o.state = 'running' AND o.vbert = f.vbert)
            GROUP BY tenant) w
        JOIN tenants t ON t.id = w.tenant
        ORDER BY running, latest, w.number
        """)
    for row in waiting {
      let running: Int = try row.column("running", of: "fineTunings")
      let owner = try tenant(named: try row.name("name", of: "tenants"), db)
      if let most = owner.processor.limits.trainings, running >= most { continue }
      let number: Int64 = try row.column("number", of: "fineTunings")
      try db.execute(
        sql: """
          UPDATE fineTunings SET state = 'running', asked = NULL, lock = ?, started = ?,
            attempts = attempts + 1 WHERE number = ?
          """, arguments: [lock, Date().timeIntervalSince1970, number])
      return try Row.fetchOne(
        db, sql: owned("fineTunings") + " WHERE f.number = ?", arguments: [number]
      ).map(FineTuningRecord.init)
    }
    return nil
  }

  /// It is no longer run: it is at its end, or waits again. One that was published is left as it is. What
  /// was asked of it is done by that.
  package func end(
    _ claimed: ClaimedFineTuning, as state: FineTuningState, error: String?
  ) throws(RegistryError) {
    try write { db in
      let found = try String.fetchOne(
        db, sql: "SELECT state FROM fineTunings WHERE number = ?",
        arguments: [claimed.record.number])
      guard found == FineTuningState.running.rawValue else { return }
      try Self.set(claimed.record.number, state, error: error, db)
    }
    claimed.running.leave()
  }

  /// Those that were published are at their end with the version: in its own transaction, with the last that is to be
  /// told of them and what they used.
  static func succeed(
    job: Int64, _ next: NextVersion, version: Int, tenant: Name, _ db: Database
  ) throws {
    let number = try Int64.fetchOne(
      db, sql: "SELECT fineTuning FROM jobs WHERE id = ?", arguments: [job])
    guard let number else { return }
    let measured = next.metrics.sorted { $0.key < $1.key }.map {
      "\($0.key) \(($0.value * 10_000).rounded() / 10_000)"
    }
    let words = (measured + [next.note]).filter { !$0.isEmpty }.joined(separator: ", ")
    try note(
      [
        FineTuningEvent("version \(version) answers from now on: \(words)", data: next.metrics)
      ], of: number, db)
    try set(number, .succeeded, version: version, db)
    guard let work = next.work else { return }
    try db.execute(
      sql: "UPDATE fineTunings SET tokens = ? WHERE number = ?", arguments: [work.tokens, number])
    try add(
      Usage(trainingRows: work.rows), of: tenant, day: UsageRecord.day(of: .now), db)
  }

  /// Puts those whose process is gone back into the queue, or ends what they were asked to.
  func requeueInterrupted() throws {
    let running = try read { db in
      try Row.fetchAll(
        db, sql: "SELECT number, lock, asked, attempts FROM fineTunings WHERE state = 'running'"
      ).compactMap { row -> (number: Int64, lock: String, asked: String?, attempts: Int)? in
        let table = "fineTunings"
        guard let number: Int64 = try? row.column("number", of: table),
          let lock: String = try? row.column("lock", of: table), Name.isValid(lock),
          let attempts: Int = try? row.column("attempts", of: table)
        else { return nil }
        return (number, lock, try? row.optional("asked", of: table), attempts)
      }
    }
    for one in running {
      guard let lock = try home.lock(one.lock) else { continue }
      try write { db in
        let still = try String.fetchOne(
          db, sql: "SELECT lock FROM fineTunings WHERE number = ? AND state = 'running'",
          arguments: [one.number])
        guard still == one.lock else { return }
        try Self.interrupt(
          one.number, asked: one.asked.flatMap(FineTuningChange.init(rawValue:)),
          attempts: one.attempts, db)
      }
      lock.removeFile()
    }
  }

  private static func interrupt(
    _ number: Int64, asked: FineTuningChange?, attempts: Int, _ db: Database
  ) throws {
    switch asked {
    case .cancel: try set(number, .cancelled, db)
    case .pause: try set(number, .paused, db)
    case .resume, nil:
      guard attempts < mostAttempts else {
        let why = "its process ended before it did, \(attempts) times"
        try set(number, .failed, error: why, db)
        return try note([FineTuningEvent(why, .error)], of: number, db)
      }
      try set(number, .queued, db)
      try note(
        [FineTuningEvent("its process ended before it did: it begins again", .warn)], of: number,
        db)
    }
  }
}
