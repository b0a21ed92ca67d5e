package import Compute
package import Model

/// n-gram rows, and who keeps their memory: the addresses are good as long as `owner` lives.
package typealias RowLookup = ([NGram]) throws -> (rows: [NGramRow], owner: AnyObject)

/// The frozen way into the upper layers: embeddings of a dense base, looked-up n-gram rows of a skip
/// base.
package final class Entry {
  private let upper: UpperEncoder
  private let lookup: RowLookup?

  /// A skip base needs `lookup`; a dense one ignores it. `upper` must run on the training's backend.
  package init(_ upper: UpperEncoder, lookup: RowLookup?) {
    precondition(lookup != nil || !upper.base.configuration.isSkip)
    self.upper = upper
    self.lookup = lookup
  }

  /// x [rows, hidden]: the state that enters the first computed layer.
  func enter(_ batch: PackedBatch, sequences: any PlacedSequences, into x: Tensor) throws {
    guard upper.base.configuration.isSkip, let lookup else {
      return try upper.enter(batch, rows: nil, sequences: sequences, into: x)
    }
    let (rows, owner) = try lookup(batch.grams)
    try upper.enter(batch, rows: rows, sequences: sequences, into: x)
    withExtendedLifetime(owner) {}
  }
}

extension LocalEncoder {
  /// Rows computed on the spot, each distinct n-gram once a call, in fp32.
  package var lookup: RowLookup {
    { [self] grams in
      var (numbers, distinct): ([NGram: Int], [NGram]) = ([:], [])
      let places = grams.map { gram in
        if let number = numbers[gram] { return number }
        numbers[gram] = distinct.count
        distinct.append(gram)
        return distinct.count - 1
      }
      let hidden = base.configuration.hiddenSize
      let rows = HostRows(count: distinct.count * 3 * hidden)
      try unsafe compute(distinct, into: rows.values)
      let bytes = NGramRow.byteCount(hidden: hidden, type: .float32)
      return (
        places.map { NGramRow(address: rows.address + UInt($0 * bytes), type: .float32) }, rows
      )
    }
  }
}

/// Host memory for computed rows.
@safe private final class HostRows {
  let values: UnsafeMutableBufferPointer<Float>
  var address: UInt { UInt(bitPattern: unsafe values.baseAddress) }

  init(count: Int) { unsafe values = .allocate(capacity: count) }
  deinit { unsafe values.deallocate() }
}
