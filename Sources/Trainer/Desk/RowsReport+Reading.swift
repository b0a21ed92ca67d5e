internal import Files
package import Manager
internal import Model

extension RowsReport {
  /// Looks at every row of a file, plain or gzip, and keeps none: memory for its labels alone. The first row
  /// says what the file can teach. Throws `RowsProblem` for the first row that does not, and for a file
  /// without rows; and what the disk says.
  package init(rows path: String) throws {
    do { try self.init(path) } catch let error as FileError { throw error } catch let error
      as RowsProblem
    { throw error } catch {
      // No text, a damaged archive, a line that has no end.
      throw RowsProblem("\(error)".replacing(path, with: "the file"))
    }
  }

  private init(_ path: String) throws {
    let reader = try LineReader(path: path, limit: DataSet.longestLine)
    var (report, counts, kinds) = (RowsReport?.none, [String: Int](), Set<InputKind?>())
    var comparison: (kind: Comparison?, line: Int)?
    while let line = try reader.next() {
      if line.isBlank { continue }
      func problem(_ problem: DataRowProblem) -> RowsProblem {
        RowsProblem(line: line.number, problem)
      }
      do throws(DataRowProblem) {
        let task = if let known = report?.task { known } else { try VBertTask(ofRow: line.bytes) }
        let row = try DataRow(json: line.bytes, line: line.number, task: task, labelled: true)
        if task == .embed {
          if let comparison, comparison.kind != row.comparison, let kind = comparison.kind {
            throw .otherComparison(kind, line: comparison.line)
          }
          comparison = comparison ?? (row.comparison, line.number)
        }
        for label in row.target?.labels ?? [] { counts[label, default: 0] += 1 }
        guard counts.count <= VBertSpec.mostLabels else { throw .tooManyLabels(counts.count) }
        kinds.insert(row.input.kind)
        if report == nil { report = RowsReport(task: task, rows: 0) }
        report?.rows += 1
      } catch { throw problem(error) }
    }
    guard var report else { throw RowsProblem.noRows }
    guard report.rows <= DataSet.mostRows else { throw RowsProblem.tooManyRows }
    report.input = kinds.count == 1 ? kinds.first ?? nil : nil
    report.labelCount = counts.count
    // The most frequent; of those that are alike, the first by code points.
    let shown = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(Self.mostShown)
    report.labels = Dictionary(uniqueKeysWithValues: shown.map { ($0.key, $0.value) })
    self = report
  }
}

extension VBertTask {
  /// What a row that looks so is written for. Throws `DataRowProblem` where it is no object, or has none of the
  /// members that tell.
  fileprivate init(ofRow json: [UInt8]) throws(DataRowProblem) {
    let object: JSONValue
    do { object = try JSONValue(json) } catch { throw .json(error) }
    guard object.kind == .object else { throw .notAnObject }
    if object["tokens"] != nil {
      self = .tag
    } else if object["labels"] != nil {
      self = .multilabel
    } else if object["score"] != nil {
      self = .score
    } else if object["label"] != nil || object["messages"] != nil {
      self = .classify
    } else if object["anchor"] != nil || object["text_pair"] != nil {
      self = .embed
    } else {
      throw .missing(
        field: "label",
        expected: "what is to be learnt (or \"labels\", \"score\", \"tags\", \"text_pair\")")
    }
  }
}

/// What is wrong with a file of rows, without the file's name.
package struct RowsProblem: Error, CustomStringConvertible {
  package let description: String

  init(line: Int, _ problem: DataRowProblem) { description = "line \(line): \(problem)" }
  init(_ description: String) { self.description = description }

  static let noRows = RowsProblem("it holds no rows")
  static let tooManyRows = RowsProblem("it holds more than \(DataSet.mostRows) rows; use fewer")
}
