package import Model

/// The labels of a task and their numbers. Labels are told apart by their bytes.
package struct LabelSet: Sendable {
  package let names: [String]
  private let numbers: [[UInt8]: Int32]

  package init(_ names: [String]) {
    self.names = names
    var numbers: [[UInt8]: Int32] = [:]
    for (number, name) in names.enumerated() { numbers[Array(name.utf8)] = Int32(number) }
    self.numbers = numbers
  }

  /// The labels that occur, in ascending order of their bytes, but a tagger's "O" first. Throws
  /// `DataSetError` for the row that has one too many or too long.
  package init(of data: DataSet, task: Task) throws(DataSetError) {
    var seen: Set<[UInt8]> = task == .tag ? [Array("O".utf8)] : []
    for row in data.rows {
      for label in row.target?.labels ?? [] {
        let bytes = Array(label.utf8)
        guard seen.insert(bytes).inserted else { continue }
        func wrong(_ problem: DataRowProblem) -> DataSetError {
          .row(path: data.path, line: row.line, problem)
        }
        if bytes.count > VBertSpec.longestLabel { throw wrong(.labelTooLong(bytes: bytes.count)) }
        if seen.count > VBertSpec.mostLabels { throw wrong(.tooManyLabels(seen.count)) }
      }
    }
    func key(_ bytes: [UInt8]) -> [UInt8] { task == .tag && bytes == Array("O".utf8) ? [] : bytes }
    let sorted = seen.sorted { key($0).lexicographicallyPrecedes(key($1)) }
    if task == .classify, sorted.count < 2 {
      throw .tooFewLabels(path: data.path, count: sorted.count)
    }
    if task == .multilabel, sorted.isEmpty { throw .tooFewLabels(path: data.path, count: 0) }
    self.init(sorted.map { String(decoding: $0, as: UTF8.self) })
  }

  package func number(_ label: String) -> Int32? { numbers[Array(label.utf8)] }
}

extension DataRow.Target {
  var labels: [String] {
    switch self {
    case .label(let label): [label]
    case .labels(let labels), .tags(let labels): labels
    case .score: []
    }
  }
}
