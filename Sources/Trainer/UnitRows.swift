/// Rows divided by their L2 norms, and the way back; a row of zeros stays.
struct UnitRows: Sendable {
  /// [rows, columns].
  let values: [Float]
  private let inverses: [Float]
  private let columns: Int

  init(_ rows: [Float], columns: Int) {
    var (values, inverses): ([Float], [Float]) = ([], [])
    values.reserveCapacity(rows.count)
    for first in stride(from: 0, to: rows.count, by: columns) {
      let (unit, norm) = Cosines.unit(rows[first..<first + columns])
      values += unit
      inverses.append(norm > 0 ? Float(1 / norm) : 0)
    }
    (self.values, self.inverses, self.columns) = (values, inverses, columns)
  }

  /// The gradient at the rows from that at the values: (d - u (u . d)) / |x|.
  func backward(_ d: [Float]) -> [Float] {
    var out: [Float] = []
    out.reserveCapacity(d.count)
    for (row, inverse) in inverses.enumerated() {
      let place = row * columns..<(row + 1) * columns
      var part = Array(d[place])
      let unit = Array(values[place])
      Vector.add(-Vector.dot(unit, part), unit, to: &part)
      Vector.scale(&part, by: Double(inverse))
      out += part
    }
    return out
  }
}
