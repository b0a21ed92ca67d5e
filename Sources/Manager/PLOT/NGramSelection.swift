internal import Model

/// Which n-grams a table keeps: the most frequent ones.
struct NGramSelection {
  /// Rows to fill, unigrams not counted.
  var rows: Int
  /// At most this share of them for bi-grams, which only `fallback` ever reads, and which would
  /// otherwise win: each is at least as frequent as every tri-gram that it stands in for.
  var bigramShare = 0.25
  /// [CLS]: (none, [CLS], x) is a tri-gram of the beginning, not a stand-in.
  var classification: Int32

  func isStandIn(_ gram: NGram) -> Bool { gram.left == NGram.none && gram.centre != classification }

  /// The chosen n-grams, most frequent first, equals in the order of their ids. Goes through `counts`
  /// twice: for the frequencies, then for those above the threshold. Memory: the result, and a
  /// number for every different frequency.
  func choose(from counts: CountMerge) -> [NGram] {
    var tri: [UInt32: Int] = [:]
    var bi: [UInt32: Int] = [:]
    for entry in counts {
      if isStandIn(entry.gram) {
        bi[entry.count, default: 0] += 1
      } else {
        tri[entry.count, default: 0] += 1
      }
    }
    let bigrams = min(bi.values.reduce(0, +), Int(Double(rows) * bigramShare))
    var threshold = Threshold(tri, rows: rows - bigrams)
    // What the tri-grams leave free is the bi-grams'.
    let trigrams = min(tri.values.reduce(0, +), rows - bigrams)
    var standIns = Threshold(bi, rows: rows - trigrams)
    var chosen: [NGramCount] = []
    for entry in counts {
      let isChosen =
        isStandIn(entry.gram) ? standIns.admits(entry.count) : threshold.admits(entry.count)
      if isChosen { chosen.append(entry) }
    }
    chosen.sort {
      $0.count != $1.count ? $0.count > $1.count : NGramCount.precedes($0.gram, $1.gram)
    }
    return chosen.map(\.gram)
  }

  /// The first of a list that is in that order already, with the same shares.
  func cut(_ list: [NGram]) -> [NGram] {
    let all = list.count(where: isStandIn)
    let bigrams = min(all, Int(Double(rows) * bigramShare))
    var trigrams = min(list.count - all, rows - bigrams)
    var standIns = rows - trigrams
    return list.filter { gram in
      if isStandIn(gram) {
        standIns -= 1
        return standIns >= 0
      }
      trigrams -= 1
      return trigrams >= 0
    }
  }

  /// Admits everything more frequent than `least`, and the first few that are just so frequent.
  private struct Threshold {
    private var least: UInt32 = 0
    private var room = 0

    init(_ histogram: [UInt32: Int], rows: Int) {
      var rest = rows
      for (count, grams) in histogram.sorted(by: { $0.key > $1.key }) {
        least = count
        room = min(grams, rest)
        rest -= room
        if rest == 0 { return }
      }
    }

    mutating func admits(_ count: UInt32) -> Bool {
      if count > least { return true }
      guard count == least, room > 0 else { return false }
      room -= 1
      return true
    }
  }
}
