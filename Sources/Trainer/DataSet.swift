internal import Files
package import Model

/// The rows of a JSONL file, all checked before anything is done with them.
package struct DataSet: Sendable {
  package var path: String
  package var rows: [DataRow]

  /// Longest line in bytes, most rows of one file.
  static let longestLine = 1 << 20
  static let mostRows = 10_000_000
  /// What a line counts beside its bytes where these are bounded: short ones are many.
  static let lineOverhead = 64

  package init(path: String, rows: [DataRow]) { (self.path, self.rows) = (path, rows) }

  /// What all rows are; nil where they are of both kinds, or words. O(rows).
  package var inputKind: InputKind? {
    let kinds = Set(rows.compactMap(\.input.kind))
    return kinds.count == 1 ? kinds.first : nil
  }

  /// Reads a file, plain or gzip; blank lines are skipped. Throws `DataSetError`, which names file
  /// and line, and what the file system says. `byteLimit`: of all lines together, with what holds a line.
  package init(path: String, task: VBertTask, labelled: Bool, byteLimit: Int = .max) throws {
    self.path = path
    rows = []
    var bytes = 0
    let reader = try LineReader(path: path, limit: DataSet.longestLine)
    while let line = try reader.next() {
      if line.isBlank { continue }
      guard rows.count < DataSet.mostRows else {
        throw DataSetError.tooManyRows(path: path, most: DataSet.mostRows)
      }
      bytes += line.bytes.count + DataSet.lineOverhead
      guard bytes <= byteLimit else {
        throw DataSetError.tooManyBytes(path: path, most: byteLimit)
      }
      do {
        rows.append(
          try DataRow(json: line.bytes, line: line.number, task: task, labelled: labelled))
      } catch {
        throw DataSetError.row(path: path, line: line.number, error)
      }
    }
    guard !rows.isEmpty else { throw DataSetError.noRows(path: path) }
  }
}

/// What can be wrong with a data file.
package enum DataSetError: Error, CustomStringConvertible {
  case row(path: String, line: Int, DataRowProblem)
  case noRows(path: String)
  case tooManyRows(path: String, most: Int)
  /// Than the memory holds.
  case tooManyBytes(path: String, most: Int)
  case tooFewLabels(path: String, count: Int)
  case tooFewRows(path: String)
  case oneRow(path: String)
  /// A tagger's rows without an entity.
  case untagged(path: String)
  /// Labels that the vBERT has learnt and these rows lack.
  case forgets(path: String, labels: [String], of: Int)
  case tags(path: String, TagProblem)
  /// An embedder's rows.
  case nothingCompared(path: String, ComparisonProblem)

  package var description: String {
    switch self {
    case .row(let path, let line, let problem): "\(path), line \(line): \(problem)"
    case .tags(let path, let problem):
      "\(path), line \(problem.faults.first?.line ?? 0): \(problem)"
    case .nothingCompared(let path, let problem): "\(path) \(problem)"
    case .noRows(let path): "\(path) holds no rows"
    case .oneRow(let path): "\(path) holds one row; give two or more to learn from"
    case .tooManyRows(let path, let most): "\(path) holds more than \(most) rows; use fewer"
    case .tooManyBytes(let path, let most):
      "\(path) holds more than the \(most >> 20) MB of rows that fit; raise --memory, or give fewer rows"
    case .tooFewLabels(let path, 0): "\(path) holds no label"
    case .tooFewLabels(let path, _):
      "\(path) holds one label alone; classifying needs two or more"
    case .forgets(let path, let labels, let count):
      "\(path) has no row with \(Self.listed(labels)), \(labels.count) of the vBERT's \(count) labels: it would "
        + "forget them; add rows, or start from these rows alone with --anew"
    case .untagged(let path):
      "\(path) marks no word: every tag is O; there is nothing to learn of it"
    case .tooFewRows(let path):
      "\(path) holds too few rows to keep some back for measuring; add rows or give --dev"
    }
  }

  /// The first of many, each cut.
  static func listed(_ labels: [String]) -> String {
    labels.prefix(5).map { "\"\($0.prefix(40))\"" }.joined(separator: ", ")
      + (labels.count > 5 ? ", ..." : "")
  }
}
