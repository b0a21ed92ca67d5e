extension FewRowsTable {
  /// Scores against rows: a line a method, over some tasks or of one.
  struct Panel: Equatable {
    struct Point: Equatable {
      var cell: FewRowsCell
      var mean: Double
      var spread: Double
    }

    var title: String
    /// One a method, in the order of methods; empty for one that is not shown.
    var lines: [[Point]]
  }

  /// Of a kind first the means over tasks, then the tasks one by one. Where some methods were run on fewer
  /// tasks, the means of those that were run on all come first, then those of all methods on the tasks
  /// that all have: means over different tasks are never side by side. `leastTest` as for the summaries.
  func panels(_ kind: AccuracyTask.Kind, leastTest: Int) -> (means: [Panel], tasks: [Panel]) {
    let ofKind = rows.filter { $0.kind == kind }
    let counted = ofKind.filter { $0.testRows >= leastTest }
    let known = methods.indices.map { method in
      Set(counted.filter { $0.values[method] != nil }.map(\.task))
    }
    let all = Set(counted.map(\.task))
    let measured = methods.indices.filter { !known[$0].isEmpty }
    let common = measured.reduce(all) { $0.intersection(known[$1]) }
    var means: [Panel] = []
    let whole = measured.filter { known[$0] == all }
    if !whole.isEmpty { means.append(mean(counted, over: all, of: whole)) }
    if common != all, !common.isEmpty { means.append(mean(counted, over: common, of: measured)) }
    let tasks = Set(ofKind.map(\.task)).sorted().map { task in
      let found = ofKind.filter { $0.task == task }
      return Panel(
        title: task,
        lines: methods.indices.map { method in
          found.compactMap { row in
            row.values[method].map { .init(cell: row.cell, mean: $0.mean, spread: $0.spread) }
          }
        })
    }
    return (means, tasks)
  }

  /// A point where a method has every one of the tasks; the spread is that of the draws' means.
  private func mean(_ rows: [Row], over tasks: Set<String>, of shown: [Int]) -> Panel {
    let cells = Set(rows.map(\.cell)).sorted()
    let lines = methods.indices.map { method -> [Panel.Point] in
      guard shown.contains(method) else { return [] }
      return cells.compactMap { cell in
        let values = rows.filter { $0.cell == cell && tasks.contains($0.task) }
          .compactMap { $0.values[method] }
        guard values.count == tasks.count, let first = values.first else { return nil }
        let draws = first.draws.keys.filter { draw in values.allSatisfy { $0.draws[draw] != nil } }
        let means = draws.sorted().map { draw in
          FewRowsTable.moments(values.map { $0.draws[draw] ?? 0 }).mean
        }
        return .init(
          cell: cell, mean: FewRowsTable.moments(values.map(\.mean)).mean,
          spread: FewRowsTable.moments(means).spread)
      }
    }
    return Panel(title: "mean of \(tasks.count) tasks", lines: lines)
  }
}
