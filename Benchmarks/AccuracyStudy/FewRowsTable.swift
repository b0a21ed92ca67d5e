/// What was learnt from few rows, side by side: for every task and cell the mean over draws of each
/// method and how far draws lie apart; and by kind and cell what each method gains on the first.
package struct FewRowsTable: Sendable, Equatable, Encodable {
  package struct Row: Sendable, Equatable, Encodable {
    package var task: String
    package var kind: AccuracyTask.Kind
    package var cell: FewRowsCell
    package var metric: String
    package var testRows: Int
    /// Drawn, on average.
    package var trainRows: Double
    /// One a method; nil: not measured.
    package var values: [Value?]
  }

  /// Of a method, in percent, over its draws.
  package struct Value: Sendable, Equatable, Encodable {
    package var mean: Double
    /// The standard deviation between draws; 0 for one.
    package var spread: Double
    /// By number of the draw.
    package var draws: [Int: Double]
    /// Of one training, on average.
    package var seconds: Double

    init?(_ results: [AccuracyResult]) {
      var (sums, counts): ([Int: Double], [Int: Int]) = ([:], [:])
      for result in results {
        guard let draw = result.draw else { continue }
        sums[draw, default: 0] += 100 * result.value
        counts[draw, default: 0] += 1
      }
      guard !sums.isEmpty else { return nil }
      draws = sums.reduce(into: [:]) { $0[$1.key] = $1.value / Double(counts[$1.key] ?? 1) }
      (mean, spread) = FewRowsTable.moments(draws.sorted { $0.key < $1.key }.map(\.value))
      seconds = results.reduce(0) { $0 + $1.seconds } / Double(results.count)
    }
  }

  /// A method beside the first, over the tasks that have both, on the draws that both have.
  package struct Summary: Sendable, Equatable, Encodable {
    package var kind: AccuracyTask.Kind
    package var cell: FewRowsCell
    package var method: String
    package var tasks: Int
    package var mean: Double
    /// The first method's on the same tasks and draws.
    package var first: Double
    /// Points gained on the first method; negative for a loss.
    package var gain: Double
    /// The least gain of a task's mean.
    package var worst: Double
    package var worstTask: String
    /// Of one training, on average over tasks.
    package var seconds: Double
  }

  package var methods: [String]
  package var rows: [Row]
  package var summaries: [Summary]

  /// Results of whole training sets are passed over. `methods` in the order of columns; the first is what
  /// the others are compared with. Summaries leave out tasks with fewer than `leastTest` test rows.
  package init(_ results: [AccuracyResult], methods: [String], leastTest: Int = 0) {
    self.methods = methods
    var groups: [Key: [AccuracyResult]] = [:]
    for result in results where methods.contains(result.method) {
      guard let cell = result.cell, result.draw != nil else { continue }
      groups[Key(kind: result.kind, task: result.task, cell: cell), default: []].append(result)
    }
    let rows = groups.sorted { $0.key < $1.key }.map { key, found in
      Row(
        task: key.task, kind: key.kind, cell: key.cell, metric: found[0].metric,
        testRows: found[0].testRows,
        trainRows: found.reduce(0) { $0 + Double($1.trainRows) } / Double(found.count),
        values: methods.map { method in Value(found.filter { $0.method == method }) })
    }
    self.rows = rows
    let counted = rows.filter { $0.testRows >= leastTest }
    summaries = AccuracyTask.Kind.allCases.flatMap { kind in
      let ofKind = counted.filter { $0.kind == kind }
      return Set(ofKind.map(\.cell)).sorted().flatMap { cell in
        methods.indices.compactMap {
          FewRowsTable.summary($0, methods, ofKind.filter { $0.cell == cell })
        }
      }
    }
  }

  private struct Key: Hashable, Comparable {
    let kind: AccuracyTask.Kind
    let task: String
    let cell: FewRowsCell

    static func < (a: Key, b: Key) -> Bool {
      let kinds = AccuracyTask.Kind.allCases
      let (first, second) = (kinds.firstIndex(of: a.kind) ?? 0, kinds.firstIndex(of: b.kind) ?? 0)
      return (first, a.task, a.cell) < (second, b.task, b.cell)
    }
  }

  /// `rows` are of one kind and cell.
  private static func summary(_ column: Int, _ methods: [String], _ rows: [Row]) -> Summary? {
    var tasks: [(row: Row, mean: Double, first: Double, seconds: Double)] = []
    for row in rows {
      guard let first = row.values[0], let value = row.values[column] else { continue }
      let common = Set(first.draws.keys).intersection(value.draws.keys).sorted()
      guard !common.isEmpty else { continue }
      func mean(_ value: Value) -> Double { moments(common.map { value.draws[$0] ?? 0 }).mean }
      tasks.append((row, mean(value), mean(first), value.seconds))
    }
    guard let worst = tasks.min(by: { $0.mean - $0.first < $1.mean - $1.first }) else { return nil }
    let (mean, first) = (moments(tasks.map(\.mean)).mean, moments(tasks.map(\.first)).mean)
    return Summary(
      kind: worst.row.kind, cell: worst.row.cell, method: methods[column], tasks: tasks.count,
      mean: mean, first: first, gain: mean - first, worst: worst.mean - worst.first,
      worstTask: worst.row.task, seconds: moments(tasks.map(\.seconds)).mean)
  }

  /// The mean and the standard deviation of a sample.
  static func moments(_ values: [Double]) -> (mean: Double, spread: Double) {
    guard !values.isEmpty else { return (0, 0) }
    let mean = values.reduce(0, +) / Double(values.count)
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    return (mean, values.count < 2 ? 0 : (squares / Double(values.count - 1)).squareRoot())
  }
}
