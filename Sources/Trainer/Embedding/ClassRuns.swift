import Model

/// An order of rows in which those of one class come in runs, so that every batch holds some of the same.
enum ClassRuns {
  /// Rows of a class that come one after another.
  static let length = 4

  /// `order`, rows in any order, rearranged: each class cut into runs of `length` (its last may be
  /// shorter), the runs in random order. `classes`: of each row.
  static func arranged(_ order: [Int], classes: [Int32], _ random: inout SplitMix) -> [Int] {
    var (runs, open): ([[Int]], [Int32: Int]) = ([], [:])
    for row in order {
      if let run = open[classes[row]], runs[run].count < length {
        runs[run].append(row)
      } else {
        open[classes[row]] = runs.count
        runs.append([row])
      }
    }
    return random.permutation(runs.count).flatMap { runs[$0] }
  }
}
