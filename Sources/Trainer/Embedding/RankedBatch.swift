import Model

/// Which of a batch's texts should be near, and which far: of every row an anchor, its positive, and
/// negatives of its own. The others' positives and negatives are far too, unless they are known to be
/// near: the same text twice, or another positive of the same anchor.
struct RankedBatch: Sendable {
  /// Places among the batch's texts.
  struct Row: Sendable {
    let anchor: Int
    var positive: Int { anchor + 1 }
    let negatives: Range<Int>

    /// Its texts are neighbours: anchor, positive, negatives.
    init(texts: Range<Int>) {
      (anchor, negatives) = (texts.lowerBound, texts.lowerBound + 2..<texts.upperBound)
    }
  }

  let rows: [Row]
  private let identities: [Int]
  /// Of identities, the smaller first.
  private let near: Set<[Int]>

  /// `identities`: the same number for the same text.
  init(rows: [Row], identities: [Int]) {
    (self.rows, self.identities) = (rows, identities)
    near = Set(
      rows.map { [identities[$0.anchor], identities[$0.positive]].sorted() })
  }

  func areNear(_ a: Int, _ b: Int) -> Bool {
    identities[a] == identities[b] || near.contains([identities[a], identities[b]].sorted())
  }

  /// What the row's anchor should be far from: its own negatives, and with `all` the others' texts.
  func farFromAnchor(_ row: Row, all: Bool) -> [Int] {
    let own = Array(row.negatives)
    guard all else { return own }
    return rows.flatMap { [$0.positive] + $0.negatives }.filter { !areNear(row.anchor, $0) }
  }

  /// The anchors that the row's positive should be far from.
  func farFromPositive(_ row: Row) -> [Int] {
    rows.map(\.anchor).filter { !areNear(row.positive, $0) }
  }
}

extension RankedBatch {
  /// Texts are the same where their tokens are.
  init(_ examples: Examples, rows: [Int]) {
    var (list, first): ([Row], Int) = ([], 0)
    for row in rows {
      let count = examples.sequences(of: row).count
      list.append(Row(texts: first..<first + count))
      first += count
    }
    var (numbers, identities): ([TokenSequence: Int], [Int]) = ([:], [])
    for number in examples.sequences(of: rows) {
      let text = examples.sequences[number]
      let identity = numbers[text] ?? numbers.count
      numbers[text] = identity
      identities.append(identity)
    }
    self.init(rows: list, identities: identities)
  }
}
