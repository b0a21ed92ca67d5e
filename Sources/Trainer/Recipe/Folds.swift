import Model

/// Which rows are held out together when a recipe is measured on rows that it did not learn from. Every
/// class is spread evenly, and copies of a text go together. The same for the same rows and seed.
package struct Folds: Sendable, Equatable {
  package let count: Int
  /// Of each row the fold that holds it out.
  package let fold: [Int]

  /// Of a job's rows, in as many parts as there are texts for.
  init(_ rows: Examples, count: Int, seed: UInt64) {
    let firsts = rows.firstOfText
    let texts = zip(firsts, firsts.indices).count { $0 == $1 }
    // One text again and again: its rows are all that there is to hold out.
    let isMany = texts > 1
    self.init(
      rows: rows.count, classes: rows.labelClasses, count: min(count, isMany ? texts : rows.count),
      seed: seed, firsts: isMany ? firsts : nil)
  }

  /// `classes`: of each row; nil where rows have none. `firsts`: of each row the first of the same text.
  package init(rows: Int, classes: [Int32]?, count: Int, seed: UInt64, firsts: [Int]? = nil) {
    var random = SplitMix(seed: seed ^ 0x666F_6C64)
    var order = random.permutation(rows)
    if let classes {
      // By class, drawn order inside: neighbours go to different folds.
      let place = order.enumerated().reduce(into: [Int](repeating: 0, count: rows)) {
        $0[$1.element] = $1.offset
      }
      order.sort { (classes[$0], place[$0]) < (classes[$1], place[$1]) }
    }
    var fold = [Int](repeating: 0, count: rows)
    if let firsts { order.removeAll { firsts[$0] != $0 } }
    for (place, row) in order.enumerated() { fold[row] = place % count }
    if let firsts { for row in fold.indices { fold[row] = fold[firsts[row]] } }
    (self.count, self.fold) = (count, fold)
  }

  /// Rows that are learnt from where `fold` is held out.
  package func learnt(without fold: Int) -> [Int] {
    self.fold.indices.filter { self.fold[$0] != fold }
  }

  package func held(in fold: Int) -> [Int] { self.fold.indices.filter { self.fold[$0] == fold } }
}
