/// Results side by side: a row a task, a column a method, means over seeds; and by kind how far each
/// method is from the first.
package struct AccuracyTable: Sendable, Equatable, Encodable {
  package struct Row: Sendable, Equatable, Encodable {
    package var task: String
    package var kind: AccuracyTask.Kind
    package var metric: String
    package var testRows: Int
    /// In percent, one a method; nil: not measured.
    package var values: [Double?]
    /// Most seeds that any value is a mean of.
    package var seeds: Int
  }

  /// A method beside the first, over the tasks of a kind that have both.
  package struct Summary: Sendable, Equatable, Encodable {
    package var kind: AccuracyTask.Kind
    package var method: String
    package var tasks: Int
    package var mean: Double
    /// Points lost against the first method, negative for a gain.
    package var loss: Double
    package var worst: Double
    package var worstTask: String
  }

  package var methods: [String]
  package var rows: [Row]
  package var summaries: [Summary]

  /// Results of few rows are passed over (`FewRowsTable`). `methods` in the order of columns; the first is what the others are compared with. Summaries
  /// leave out tasks with fewer than `leastTest` test rows, whose scores are mostly chance.
  package init(_ results: [AccuracyResult], methods: [String], leastTest: Int = 0) {
    self.methods = methods
    var rows: [Row] = []
    for kind in AccuracyTask.Kind.allCases {
      let ofKind = results.filter { $0.kind == kind && $0.cell == nil }
      for task in Set(ofKind.map(\.task)).sorted() {
        let found = ofKind.filter { $0.task == task }
        let values = methods.map { method -> [Double] in
          found.filter { $0.method == method }.map(\.value)
        }
        guard let any = found.first, values.contains(where: { !$0.isEmpty }) else { continue }
        rows.append(
          Row(
            task: task, kind: kind, metric: any.metric, testRows: any.testRows,
            values: values.map {
              $0.isEmpty ? nil : 100 * $0.reduce(0, +) / Double($0.count)
            }, seeds: values.map(\.count).max() ?? 0))
      }
    }
    self.rows = rows
    summaries = AccuracyTask.Kind.allCases.flatMap { kind in
      methods.indices.compactMap {
        AccuracyTable.summary(kind, $0, methods, rows.filter { $0.testRows >= leastTest })
      }
    }
  }

  private static func summary(
    _ kind: AccuracyTask.Kind, _ column: Int, _ methods: [String], _ rows: [Row]
  ) -> Summary? {
    let pairs = rows.filter { $0.kind == kind }.compactMap { row -> (Row, Double, Double)? in
      guard let first = row.values[0], let value = row.values[column] else { return nil }
      return (row, value, first - value)
    }
    guard let worst = pairs.max(by: { $0.2 < $1.2 }) else { return nil }
    let count = Double(pairs.count)
    return Summary(
      kind: kind, method: methods[column], tasks: pairs.count,
      mean: pairs.reduce(0) { $0 + $1.1 } / count, loss: pairs.reduce(0) { $0 + $1.2 } / count,
      worst: worst.2, worstTask: worst.0.task)
  }
}
