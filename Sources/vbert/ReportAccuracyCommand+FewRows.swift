import AccuracyStudy
import ArgumentParser
import Foundation
import Manager
import Model
import Trainer

/// The study of few rows: tasks, cells and draws, beside what peers reached on the same draws.
extension ReportAccuracyCommand {
  private static let known: Set<String> = ["full", "dense", "exact"]

  /// Whether few rows are learnt from, and not whole training sets.
  var isFew: Bool { !rows.isEmpty || !inAll.isEmpty }

  func validateFewRows() throws {
    _ = try cells()
    let isAlone = chosen == ["none"]
    guard isAlone || Set(chosen).isSubset(of: Self.known) && !chosen.isEmpty else {
      throw ValidationError("--methods of few rows are full, dense and exact, or none")
    }
    guard !isAlone || !peers.isEmpty else {
      throw ValidationError("--methods none is a table of --peers alone; give their logs")
    }
    guard seeds == 1 else {
      throw ValidationError("--seeds is for whole training sets; --draws draws few rows anew")
    }
    guard !efforts.isEmpty, effort.split(separator: ",").count == efforts.count else {
      throw ValidationError("--effort knows quick and full, with a comma between")
    }
    guard 1...1000 ~= draws else { throw ValidationError("--draws must be 1 to 1000") }
  }

  private var efforts: [Effort] {
    effort.split(separator: ",").compactMap { Effort(rawValue: String($0)) }
  }

  private func cells() throws -> [FewRowsCell] {
    func list(_ text: String, _ option: String, _ suffix: String) throws -> [FewRowsCell] {
      try text.split(separator: ",", omittingEmptySubsequences: false).map { part in
        guard let cell = FewRowsCell(part + suffix) else {
          let counts = FewRowsCell.counts
          throw ValidationError(
            "\(option) takes numbers of rows, \(counts.lowerBound) to \(counts.upperBound), "
              + "with commas between: 8,16,32")
        }
        return cell
      }
    }
    let all =
      try (rows.isEmpty ? [] : list(rows, "--rows", "/class"))
      + (inAll.isEmpty ? [] : list(inAll, "--in-all", ""))
    guard Set(all).count == all.count else {
      throw ValidationError("--rows or --in-all has a number twice")
    }
    return all.sorted()
  }

  /// What one thread does next: all draws of a cell, which train together.
  private struct FewWork {
    let task: AccuracyTask
    let candidate: AccuracyCandidate
    let cell: FewRowsCell
  }

  func fewRows(_ candidates: [AccuracyCandidate], _ tasks: [AccuracyTask]) throws {
    let candidates = candidates.flatMap { candidate in
      (candidate.training == .full ? [nil] : efforts.map(Optional.some)).map { effort in
        var candidate = candidate
        candidate.effort = effort
        return candidate
      }
    }
    let peers = try peers.flatMap { try AccuracyLog.results(path: $0) }
    let log = try AccuracyLog(path: log ?? "\(out).jsonl")
    let cells = try cells()
    var works: [FewWork] = []
    for task in candidates.isEmpty ? [] : tasks {
      let hasClasses = try task.task() == .classify
      for cell in cells where hasClasses || cell > .inAll(0) {
        works += candidates.map { FewWork(task: task, candidate: $0, cell: cell) }
      }
    }
    try inThreads(works, name: \.task.name) { try run($0, $1, $2, log) }
    var methods: [String] = []
    let ours = candidates.map { $0.method(.exact) }
    for method in peers.filter({ $0.cell != nil }).map(\.method) + ours
    where !methods.contains(method) {
      methods.append(method)
    }
    let (shown, names) = (Set(cells), Set(tasks.map { "\($0.kind) \($0.name)" }))
    let results = (peers + log.results.filter { ours.contains($0.method) }).filter { result in
      result.cell.map(shown.contains) == true && names.contains("\(result.kind) \(result.task)")
        && result.draw.map { 1...draws ~= $0 } == true
    }
    let table = FewRowsTable(results, methods: methods, leastTest: leastCounted)
    try write(
      table, markdown: table.markdown, picture: table.picture(leastTest: leastCounted))
    if options.json { try Output.json(table) } else { print(table.markdown) }
  }

  private func run(
    _ work: FewWork, _ trial: AccuracyTrial, _ known: AccuracyRowsCache, _ log: AccuracyLog
  ) throws {
    let (task, candidate, cell) = (work.task, work.candidate, work.cell)
    let missing = (1...draws).filter {
      !log.has(task, candidate.method(.exact), cell: cell, seed: UInt64($0))
    }
    guard !missing.isEmpty else { return }
    var caps = AccuracyRows.Caps()
    // Dev rows are nobody's: those who learn from few keep back their own.
    (caps.train, caps.dev, caps.test) = (0, 1, test)
    let rows = try known.rows(
      task, caps: caps, maxLength: min(maxLength, candidate.base.configuration.maxPositions),
      base: candidate.base)
    guard rows.test.count >= leastCounted || !tasks.isEmpty else { return }
    let draws = missing.map { AccuracyTrial.Draw($0, of: cell, train: rows.train) }
    let outcomes = try trial.fewRows(
      candidate, draws: draws, rows: rows,
      settings: .init(options: TrainingOptions(), fullRate: fullLr, adapterRate: lr))
    for (draw, outcome) in zip(draws, outcomes) {
      try log.append(
        AccuracyResult(
          task: task, method: candidate.method(.exact), cell: cell, draw: draw, outcome: outcome,
          testRows: rows.test.count))
    }
  }
}
