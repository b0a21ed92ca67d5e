import Model

/// What is found among an embedder's rows by the cosine.
struct SearchScores {
  /// Scores given, and cosines found.
  private(set) var gold: [Double] = []
  private(set) var found: [Double] = []
  private var (searches, firsts, tenths) = (0.0, 0.0, 0.0)
  private var (triplets, right) = (0.0, 0.0)

  /// recall_at_1: how often the nearest is one that is sought; recall_at_10: the share of what is sought
  /// among the nearest ten, of at most ten.
  var recalls: [String: Double] {
    [
      "recall_at_1": firsts / max(1, searches), "recall_at_10": tenths / max(1, searches),
    ]
  }

  /// How often the positive is nearer than every negative of the row.
  var accuracy: Double { right / max(1, triplets) }

  /// `vectors`: of all sequences. O(rows^2 * hidden) where something is sought.
  init(_ examples: Examples, rows: [Int], vectors: [[Float]]) {
    let sequences = examples.sequences(of: rows)
    let units = sequences.map { Cosines.unit(vectors[$0]).0 }
    switch examples.comparison {
    case .scores:
      for (place, row) in rows.enumerated() {
        guard case .score(let score) = examples.targets[row] else { continue }
        gold.append(Double(score))
        found.append(Double(Self.product(units[2 * place], units[2 * place + 1])))
      }
    case .labels:
      let classes = examples.classes ?? []
      let labels = rows.map { classes[$0] }
      for i in labels.indices {
        let others = labels.indices.filter { $0 != i }
        search(
          others.map { Self.product(units[i], units[$0]) },
          isSought: others.map { labels[$0] == labels[i] })
      }
    case .pairs, .triplets:
      let batch = RankedBatch(examples, rows: rows)
      let candidates = batch.rows.flatMap { [$0.positive] + $0.negatives }
      for row in batch.rows {
        let anchor = units[row.anchor]
        search(
          candidates.map { Self.product(anchor, units[$0]) },
          isSought: candidates.map { batch.areNear(row.anchor, $0) })
        guard !row.negatives.isEmpty else { continue }
        triplets += 1
        let positive = Self.product(anchor, units[row.positive])
        let isNearer = row.negatives.allSatisfy { Self.product(anchor, units[$0]) < positive }
        if isNearer { right += 1 }
      }
    case nil: break
    }
  }

  /// One search; nothing where nothing is sought. Of equals what is not sought comes first: vectors that
  /// are all the same find nothing.
  private mutating func search(_ cosines: [Float], isSought: [Bool]) {
    let sought = isSought.count { $0 }
    guard sought > 0 else { return }
    let nearest = Self.nearest(10, cosines, isSought)
    searches += 1
    if isSought[nearest[0]] { firsts += 1 }
    tenths += Double(nearest.count { isSought[$0] }) / Double(min(10, sought))
  }

  /// The places of the highest, the first first. O(count), of few.
  private static func nearest(_ most: Int, _ cosines: [Float], _ isSought: [Bool]) -> [Int] {
    var best: [Int] = []
    for (i, cosine) in cosines.enumerated() {
      func isBefore(_ other: Int) -> Bool {
        cosine != cosines[other] ? cosine > cosines[other] : !isSought[i] && isSought[other]
      }
      if best.count == most, !isBefore(best[most - 1]) { continue }
      best.insert(i, at: best.firstIndex(where: isBefore) ?? best.count)
      if best.count > most { best.removeLast() }
    }
    return best
  }

  /// A loop of this kind is what measuring waits for: plain pointers, no ranges.
  private static func product(_ a: [Float], _ b: [Float]) -> Float {
    precondition(a.count == b.count)
    return unsafe a.withUnsafeBufferPointer { a in
      unsafe b.withUnsafeBufferPointer { b in
        var (sum, k, count) = (Float(0), 0, a.count)
        while k < count {
          unsafe sum += a[k] * b[k]
          k += 1
        }
        return sum
      }
    }
  }
}
