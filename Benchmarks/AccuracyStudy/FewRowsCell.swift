package import Trainer

/// How few rows a customer brings: so many of every class, or so many in all. Written "8/class" and "100",
/// in logs and tables alike. Benchmarks/few_rows.py draws the same rows.
package enum FewRowsCell: Sendable, Hashable {
  case perClass(Int)
  case inAll(Int)

  /// Of a cell; more is no longer few.
  package static let counts = 1...100_000

  /// Numbers of the rows that a draw takes of all training rows, in its order: every class gives what it
  /// has up to its count, of rows in all the first of a random order are taken. Rows without one class
  /// (scores, tags) are of one class.
  package func rows(draw: UInt64, of targets: [Examples.Target]) -> [Int] {
    var random = SplitMix(seed: draw)
    let order = random.permutation(targets.count)
    switch self {
    case .inAll(let count): return Array(order.prefix(count))
    case .perClass(let count):
      var taken: [Int32: Int] = [:]
      return order.filter { row in
        var label: Int32 = -1
        if case .label(let number) = targets[row] { label = number }
        guard taken[label, default: 0] < count else { return false }
        taken[label, default: 0] += 1
        return true
      }
    }
  }

  /// Of rows, of every class or in all.
  var count: Int {
    switch self {
    case .perClass(let count), .inAll(let count): count
    }
  }

  /// As tables say it.
  package var title: String {
    switch self {
    case .perClass(let count): "\(count) a class"
    case .inAll(let count): "\(count) rows"
    }
  }
}

extension FewRowsCell: Comparable {
  /// Those of a class before those in all, by count.
  package static func < (a: FewRowsCell, b: FewRowsCell) -> Bool { a.place < b.place }

  private var place: (Int, Int) {
    switch self {
    case .perClass(let count): (0, count)
    case .inAll(let count): (1, count)
    }
  }
}

extension FewRowsCell: LosslessStringConvertible, Codable {
  private static let ofClass = "/class"

  /// nil for what is no cell.
  package init?(_ text: String) {
    let isOfClass = text.hasSuffix(FewRowsCell.ofClass)
    let digits = isOfClass ? text.dropLast(FewRowsCell.ofClass.count) : text[...]
    guard let count = Int(digits), FewRowsCell.counts ~= count else { return nil }
    self = isOfClass ? .perClass(count) : .inAll(count)
  }

  package var description: String {
    switch self {
    case .perClass(let count): "\(count)\(FewRowsCell.ofClass)"
    case .inAll(let count): "\(count)"
    }
  }

  package init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard let cell = FewRowsCell(text) else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "\(text) is no number of rows")
    }
    self = cell
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}
