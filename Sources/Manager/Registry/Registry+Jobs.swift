internal import Files
internal import Foundation
internal import GRDB
package import Model
internal import Synchronization

/// A training run in progress. It is known to be alive by a file lock, which the kernel drops with
/// the process: whoever opens the registry after kill -9 sees that nobody holds it.
package final class RunningJob: Sendable {
  package let id: Int64
  private let registry: Registry
  private let lock: JobLock

  init(id: Int64, registry: Registry, lock: JobLock) {
    self.id = id
    self.registry = registry
    self.lock = lock
  }

  /// Writes down how far jobs are; an fsync, so not more than about once a second. Throws `busy` at once
  /// where another process holds the lock for changes: training goes on.
  package static func update(
    _ list: [(job: RunningJob, metrics: [String: Double])]
  ) throws(RegistryError) {
    guard let first = list.first else { return }
    try first.job.registry.writeAtOnce { db in
      for (job, metrics) in list {
        try db.execute(
          sql: "UPDATE jobs SET updated = ?, metrics = ? WHERE id = ?",
          arguments: [Date().timeIntervalSince1970, try JSONText.encode(finite: metrics), job.id])
      }
    }
  }

  /// Ends it without a version; with one, `AdapterStore.publish(job:)` ends it.
  package func fail(_ why: String) throws(RegistryError) {
    try RunningJob.fail([self], why)
  }

  /// The same for many at once.
  package static func fail(_ jobs: [RunningJob], _ why: String) throws(RegistryError) {
    guard let first = jobs.first else { return }
    try first.registry.write { db in
      for job in jobs { try Registry.end(job.id, as: .failed, error: why, db) }
    }
    for job in jobs { job.removeLock() }
  }

  /// For `AdapterStore.publish`, when the transaction that ended the job is done.
  func removeLock() { lock.leave() }
}

/// The lock of jobs that one process runs together: its file goes with the last of them.
final class JobLock: Sendable {
  private let lock: FileLock
  private let left: Mutex<Int>

  init(_ lock: FileLock, jobs: Int) {
    self.lock = lock
    left = Mutex(jobs)
  }

  func leave() {
    let isLast = left.withLock { left in
      left -= 1
      return left == 0
    }
    if isLast { lock.removeFile() }
  }
}

extension Registry {
  /// Ended jobs kept for a vBERT.
  private static let keptJobs = 100

  /// Throws `noVBERT`.
  package func beginJob(vbert name: Name) throws -> RunningJob {
    let jobs = try beginJobs(vberts: [name])
    guard let job = jobs.first else { throw RegistryError.noVBERT(name.text) }
    return job
  }

  /// A job for each of these vBERTs, which this process trains together. Throws `noVBERT`; then there
  /// is none.
  package func beginJobs(vberts names: [Name]) throws -> [RunningJob] {
    guard let first = names.first else { return [] }
    let lockName = Home.jobLockPrefix + UUID().uuidString.lowercased()
    // The lock first: a running job without its lock would look dead to others.
    guard let file = try home.lock(lockName) else { throw RegistryError.noVBERT(first.text) }
    let lock = JobLock(file, jobs: names.count)
    do {
      return try write { db in try names.map { try Self.begin($0, lock: lockName, db) } }
        .map { RunningJob(id: $0, registry: self, lock: lock) }
    } catch {
      file.removeFile()
      throw error
    }
  }

  private static func begin(_ name: Name, lock: String, _ db: Database) throws -> Int64 {
    let vbert = try Self.vbert(named: name, db)
    let now = Date().timeIntervalSince1970
    try db.execute(
      sql: """
        INSERT INTO jobs (vbert, state, lock, started, updated, metrics)
        VALUES (?, 'running', ?, ?, ?, '{}')
        """, arguments: [vbert.id, lock, now, now])
    let id = db.lastInsertedRowID
    try db.execute(
      sql: """
        DELETE FROM jobs WHERE vbert = ? AND state <> 'running' AND id NOT IN
          (SELECT id FROM jobs WHERE vbert = ? ORDER BY id DESC LIMIT ?)
        """, arguments: [vbert.id, vbert.id, Self.keptJobs])
    return id
  }

  /// The newest first; of all vBERTs unless one is named. Throws `noVBERT`.
  package func jobs(of name: Name? = nil, limit: Int = 100) throws(RegistryError) -> [JobRecord] {
    try read { db in
      let vbert = try name.map { try Self.vbert(named: $0, db).id }
      return try Row.fetchAll(
        db, sql: "SELECT * FROM jobs WHERE ? IS NULL OR vbert = ? ORDER BY id DESC LIMIT ?",
        arguments: [vbert, vbert, max(0, limit)]
      ).map(JobRecord.init)
    }
  }

  static func end(
    _ job: Int64, as state: JobState, error: String? = nil, metrics: [String: Double]? = nil,
    _ db: Database
  ) throws {
    let now = Date().timeIntervalSince1970
    try db.execute(
      sql: """
        UPDATE jobs SET state = ?, error = ?, updated = ?, finished = ?,
          metrics = COALESCE(?, metrics) WHERE id = ? AND state = 'running'
        """,
      arguments: [
        state.rawValue, error, now, now, try metrics.map(JSONText.encode(finite:)), job,
      ])
  }

  /// Marks as failed the running jobs whose lock nobody holds.
  func endInterruptedJobs() throws {
    let running = try read { db in
      try Row.fetchAll(db, sql: "SELECT id, lock FROM jobs WHERE state = 'running'").compactMap {
        row -> (id: Int64, lock: String)? in
        // A lock's name becomes a path; a row that we did not write so is no job of ours.
        guard let id: Int64 = try? row.column("id", of: "jobs"),
          let lock: String = try? row.column("lock", of: "jobs"),
          Name.isValid(lock)
        else { return nil }
        return (id, lock)
      }
    }
    for job in running {
      guard let lock = try home.lock(job.lock) else { continue }
      try write { db in
        try Self.end(
          job.id, as: .failed,
          error: "interrupted: the process ended before the job did; start it again", db)
      }
      lock.removeFile()
    }
  }
}

extension JobRecord {
  fileprivate init(_ row: Row) throws {
    let table = "jobs"
    let finished: Double? = try row.optional("finished", of: table)
    self.init(
      id: try row.column("id", of: table), vbert: try row.column("vbert", of: table),
      state: JobState(rawValue: try row.column("state", of: table)) ?? .failed,
      started: try row.date("started", of: table), updated: try row.date("updated", of: table),
      finished: finished.map(Date.init(timeIntervalSince1970:)),
      error: try row.optional("error", of: table), metrics: try row.json("metrics", of: table))
  }
}
