import Model

extension TrainingData {
  /// Throws unless dev rows compare what those do that are learnt from.
  static func check(_ dev: DataSet, _ comparison: Comparison?) throws(DataSetError) {
    guard let comparison, try dev.comparison() != comparison else { return }
    throw .row(
      path: dev.path, line: dev.rows.first?.line ?? 1, .unlikeComparison(comparison))
  }

  /// Most texts of a row.
  package var widestRow: Int { train.rows.reduce(1) { max($0, 1 + $1.others.count) } }
}

extension DataSet {
  /// A number a row, the same for the same label.
  var classes: [Int32] {
    var numbers: [[UInt8]: Int32] = [:]
    return rows.map { row in
      let label = row.target?.labels.first.map { Array($0.utf8) } ?? []
      let number = numbers[label] ?? Int32(numbers.count)
      numbers[label] = number
      return number
    }
  }

  /// Its rows' labels that are none of `known`, each once.
  func labels(beyond known: LabelSet) -> [String] {
    var (seen, found): (Set<[UInt8]>, [String]) = ([], [])
    for label in rows.flatMap({ $0.target?.labels ?? [] }) where known.number(label) == nil {
      if seen.insert(Array(label.utf8)).inserted { found.append(label) }
    }
    return found
  }
}
