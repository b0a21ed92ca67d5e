extension FewRowsTable {
  /// The summaries and, below, every task: means over draws, with the standard deviation between them.
  package var markdown: String {
    var lines = [
      "| kind | rows | method | tasks | mean | first on the same | gain | least | on | seconds |",
      "|---|---|---|---:|---:|---:|---:|---:|---|---:|",
    ]
    for summary in summaries {
      let isFirst = summary.method == methods.first
      let beside = [summary.first, summary.gain, summary.worst].map {
        isFirst ? "" : AccuracyTable.short($0)
      }
      lines.append(
        "| \(summary.kind.title) | \(summary.cell.title) | \(summary.method) | \(summary.tasks) "
          + "| \(AccuracyTable.short(summary.mean)) | \(beside[0]) | \(beside[1]) | \(beside[2]) "
          + "| \(isFirst ? "" : summary.worstTask) | \(AccuracyTable.short(summary.seconds)) |")
    }
    lines += ["", "| task | rows | metric | test rows |" + methods.map { " \($0) |" }.joined()]
    lines.append("|---|---|---|---:|" + methods.map { _ in "---:|" }.joined())
    for row in rows {
      let values = row.values.map { value in
        value.map { " \(AccuracyTable.short($0.mean)) ± \(AccuracyTable.short($0.spread)) |" }
          ?? "  |"
      }
      lines.append(
        "| \(row.task) | \(row.cell.title) | \(row.metric) | \(row.testRows) |" + values.joined())
    }
    return lines.joined(separator: "\n") + "\n"
  }
}
