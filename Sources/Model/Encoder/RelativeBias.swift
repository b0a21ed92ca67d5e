private import Foundation

/// Biases of attention's scores by the distance of key and query: near distances have one each, far
/// ones share (T5: Raffel 2020, section 2.1). One table for all layers.
package struct RelativeBias: Sendable, Hashable {
  /// Half of them for keys behind the query, half for the others.
  package let buckets: Int
  /// From this distance on all are one.
  package let farthest: Int

  /// Of the table, [buckets, heads], in a checkpoint and in our files.
  package static let tensorName: String = "encoder.relative_attention_bias.weight"

  /// Whose row the key that lies `distance` behind its query (before it, if negative) takes.
  package func bucket(of distance: Int) -> Int {
    let half = buckets / 2
    let first = distance > 0 ? half : 0
    let (near, far) = (half / 2, abs(distance))
    if far < near { return first + far }
    // In fp32, as the models were trained: at powers of two rounding decides.
    let share = log(Float(far) / Float(near)) / Float(log(Double(farthest) / Double(near)))
    return first + min(half - 1, near + Int(share * Float(half - near)))
  }

  /// For each head one after the other, and for each distance from 1 - length to length - 1, the place
  /// of its value in the table: what makes the biases that attention reads, [heads, 2 length - 1].
  package func places(heads: Int, length: Int) -> [Int32] {
    let rows = (1 - length...length - 1).map { Int32(bucket(of: $0) * heads) }
    return (0..<Int32(heads)).flatMap { head in rows.map { $0 + head } }
  }

  /// Those biases, from the table's values.
  package func spread(_ table: [Float], heads: Int, length: Int) -> [Float] {
    precondition(table.count == buckets * heads)
    return places(heads: heads, length: length).map { table[Int($0)] }
  }
}
