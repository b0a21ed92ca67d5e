/// Numbers of a table's rows that were checked where they came in: each is at least 0 and below
/// `bound`. A backend that is given some need not look at them again, only at `bound`.
package struct Indices: Sendable, Hashable {
  package private(set) var values: [Int32] = []
  /// At most the rows of the table; 0 for none.
  package private(set) var bound = 0

  package init() {}

  /// Throws `ComputeError.index` for one that is no row. O(count).
  package init(_ values: [Int32], below bound: Int) throws(ComputeError) {
    if let wrong = values.first(where: { $0 < 0 || Int($0) >= bound }) {
      throw .index(wrong, rows: bound)
    }
    (self.values, self.bound) = (values, values.isEmpty ? 0 : bound)
  }

  /// Each token's place in its sequence.
  package init(places layout: SequenceLayout) {
    values.reserveCapacity(layout.rows)
    for i in 0..<layout.count { values += 0..<Int32(layout.rows(of: i).count) }
    bound = layout.longest
  }

  package init(zeros count: Int) {
    values = [Int32](repeating: 0, count: count)
    bound = min(1, count)
  }

  package var count: Int { values.count }

  package mutating func reserve(_ count: Int) { values.reserveCapacity(count) }

  package static func += (a: inout Indices, b: Indices) {
    a.values += b.values
    a.bound = max(a.bound, b.bound)
  }
}
