/// Tags that are not all of one scheme.
package struct TagProblem: Error, Sendable, Equatable, CustomStringConvertible {
  package struct Fault: Sendable, Equatable {
    package enum Kind: Sendable, Equatable {
      /// No tag of the scheme.
      case foreign
      /// Begins an entity that nothing ends.
      case unended
      /// Goes on with an entity that nothing began.
      case unbegun
      /// Carries a mark where the others carry none.
      case marked
      /// What looks like a slip for O.
      case slip
      /// An O where every word has a tag.
      case outside
    }

    /// Counts from 1, as `word`.
    package var line: Int
    package var word: Int
    package var tag: String
    package var kind: Kind
  }

  /// The scheme of most rows, or of the vBERT.
  package var scheme: TagScheme
  /// Whether the vBERT brought it; else rows that are written in it.
  package var isGiven: Bool
  package var rows: Int
  /// The first one of each row, of the first rows; in order.
  package var faults: [Fault]
  /// Rows with faults, all of them.
  package var count: Int

  /// Most faults that are kept.
  static let mostFaults = 5

  package var description: String {
    guard let first = faults.first else { return "tags of more than one scheme" }
    let others =
      isGiven ? "this vBERT's tags are \(scheme)" : "\(Self.rows(rows)) \(scheme)"
    return
      "the tag \"\(first.tag.prefix(40))\" of word \(first.word) \(what(first.kind)); \(others)"
      + more + "; write all tags in one scheme"
  }

  private var more: String {
    guard count > 1 else { return "" }
    let lines = faults.dropFirst().map { "\($0.line)" }.joined(separator: ", ")
    let rest = count > faults.count ? " and \(count - faults.count) more" : ""
    return " (also wrong: line\(count > 2 ? "s" : "") \(lines)\(rest))"
  }

  private static func rows(_ count: Int) -> String {
    switch count {
    case 0: "no row is all"
    case 1: "one row is"
    default: "\(count) rows are"
    }
  }

  private func what(_ kind: Fault.Kind) -> String {
    switch kind {
    case .foreign: "is none of \(scheme)"
    case .unended: "begins an entity that is not marked to its end"
    case .unbegun: "goes on with an entity of a type that none before it began"
    case .marked: "seems to carry a mark (which is written B-TYPE, B_TYPE, TYPE-B or TYPE_B)"
    case .slip: "seems to stand for O, the capital letter, which is the tag outside of all entities"
    case .outside: "says no type"
    }
  }
}
