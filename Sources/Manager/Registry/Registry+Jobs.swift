internal import Files
internal import Foundation
internal import GRDB
package import Model
internal import Synchronization

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

  /// A job for each of these vBERTs, which this process trains together. It is known to be alive by a
  /// file lock, which the kernel drops with the process: whoever opens the registry after kill -9 sees
  /// that nobody holds it. `fineTunings`: the numbers of those that they are run for, in the same order.
  /// Throws `noVBERT`, `home`; then there is none.
  package func beginJobs(
    vberts names: [VBertName], for fineTunings: [Int64?]
  ) throws(RegistryError) -> [RunningJob] {
    guard let first = names.first else { return [] }
    let lockName = Home.jobLockPrefix + UUID().uuidString.lowercased()
    // The lock first: a running job without its lock would look dead to others.
    let held: FileLock?
    do { held = try home.lock(lockName) } catch { throw .home(error) }
    guard let file = held else { throw .noVBERT(first.text) }
    let lock = JobLock(file, jobs: names.count)
    do {
      return try write { db in
        try names.enumerated().map { place, name in
          let fineTuning = place < fineTunings.count ? fineTunings[place] : nil
          return try Self.begin(name, lock: lockName, for: fineTuning, db)
        }
      }.map { RunningJob(id: $0) { lock.leave() } }
    } catch {
      file.removeFile()
      throw error
    }
  }

  /// For no fine-tuning.
  package func beginJobs(vberts names: [VBertName]) throws(RegistryError) -> [RunningJob] {
    try beginJobs(vberts: names, for: [])
  }

  /// Writes down how far jobs are: an fsync. Throws `busy` at once where another process holds the
  /// lock for changes.
  package func note(
    _ progress: [(job: RunningJob, metrics: [String: Double])]
  ) throws(RegistryError) {
    guard !progress.isEmpty else { return }
    try writeAtOnce { db in
      for (job, metrics) in progress {
        try db.execute(
          sql: "UPDATE jobs SET updated = ?, metrics = ? WHERE id = ?",
          arguments: [Date().timeIntervalSince1970, try JSONText.encode(finite: metrics), job.id])
      }
    }
  }

  /// Ends them without a version.
  package func fail(_ jobs: [RunningJob], _ why: String) throws(RegistryError) {
    guard !jobs.isEmpty else { return }
    try write { db in
      for job in jobs { try Self.end(job.id, as: .failed, error: why, db) }
    }
    for job in jobs { job.leave() }
  }

  private static func begin(
    _ name: VBertName, lock: String, for fineTuning: Int64?, _ db: Database
  ) throws -> Int64 {
    let vbert = try Self.vbert(named: name, db)
    let now = Date().timeIntervalSince1970
    try db.execute(
      sql: """
        INSERT INTO jobs (vbert, state, lock, started, updated, metrics, fineTuning)
        VALUES (?, 'running', ?, ?, ?, '{}', ?)
        """, arguments: [vbert.id, lock, now, now, fineTuning])
    let id = db.lastInsertedRowID
    try db.execute(
      sql: """
        DELETE FROM jobs WHERE vbert = ? AND state <> 'running' AND id NOT IN
          (SELECT id FROM jobs WHERE vbert = ? ORDER BY id DESC LIMIT ?)
        """, arguments: [vbert.id, vbert.id, Self.keptJobs])
    return id
  }

  /// The newest first; of all vBERTs unless one is named. Throws `noVBERT`.
  package func jobs(of name: VBertName? = nil, limit: Int = 100) throws(RegistryError)
    -> [JobRecord]
  {
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
