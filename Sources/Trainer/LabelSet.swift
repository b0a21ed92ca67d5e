package import Model

/// The labels of a task and their numbers. Labels are text as it was given, told apart by their bytes.
package struct LabelSet: Sendable {
  package let names: [String]
  private let numbers: [[UInt8]: Int32]

  package init(_ names: [String]) {
    self.names = names
    var numbers: [[UInt8]: Int32] = [:]
    for (number, name) in names.enumerated() { numbers[Array(name.utf8)] = Int32(number) }
    self.numbers = numbers
  }

  /// The labels that occur, as `LabelOrder` has them, but a tagger's "O" first. Throws `DataSetError`
  /// for the row that has one too many, too long, or one that differs from another only in its
  /// canonical form.
  package init(of data: DataSet, task: VBertTask) throws(DataSetError) {
    let found = try LabelSet.occurring(in: data)
    if task == .classify, found.count < 2 {
      throw .tooFewLabels(path: data.path, count: found.count)
    }
    if task == .multilabel, found.isEmpty { throw .tooFewLabels(path: data.path, count: 0) }
    guard task == .tag else {
      self.init(LabelOrder.sorted(found))
      return
    }
    guard found.contains(where: { $0 != "O" }) else { throw .untagged(path: data.path) }
    self.init(["O"] + LabelOrder.sorted(found.filter { $0 != "O" }))
  }

  /// The labels that occur, each once. Throws as `init(of:task:)`.
  static func occurring(in data: DataSet) throws(DataSetError) -> [String] {
    /// By their canonical form, which is what two Strings are compared by, with the line they came in.
    var seen: [String: Int] = [:]
    var found: [String] = []
    for row in data.rows {
      for label in row.target?.labels ?? [] {
        func wrong(_ problem: DataRowProblem) -> DataSetError {
          .row(path: data.path, line: row.line, problem)
        }
        if let place = seen.index(forKey: label) {
          let (twin, line) = seen[place]
          guard twin.utf8.elementsEqual(label.utf8) else {
            throw wrong(.canonicalTwin(label, line: line))
          }
          continue
        }
        seen[label] = row.line
        found.append(label)
        let bytes = label.utf8.count
        if bytes > VBertSpec.longestLabel { throw wrong(.labelTooLong(bytes: bytes)) }
        if found.count > VBertSpec.mostLabels { throw wrong(.tooManyLabels(found.count)) }
      }
    }
    return found
  }

  package func number(_ label: String) -> Int32? { numbers[Array(label.utf8)] }
}

extension DataRow.Target {
  package var labels: [String] {
    switch self {
    case .label(let label): [label]
    case .labels(let labels), .tags(let labels): labels
    case .score: []
    }
  }
}
