/// Which tags of a file seem to carry a mark, so that they are no plain types.
///
/// A type may look like a marked tag ("E-MAIL", "VITAMIN-B"), so one look is not enough, except for
/// B- and I-, where there is an O also S-, U-, B_ and I_: those stand alone in well-formed files.
/// Others need company: the same type under another mark right beside it, or without any.
struct MarkEvidence {
  private(set) var marked: Set<Int> = []

  private struct Group: Hashable {
    let form: TagForm
    let type: String
  }

  init(_ table: TagTable, hasOutside: Bool) {
    var groups: [Group: [UInt8: Int]] = [:]
    var members: [[(group: Group, letter: UInt8)]] = []
    for (number, name) in table.names.enumerated() {
      var own: [(group: Group, letter: UInt8)] = []
      for form in Self.forms(name) {
        guard let (letter, type) = form.split(name), TagForm.marks.contains(letter) else {
          continue
        }
        let group = Group(form: form, type: type)
        groups[group, default: [:]][letter] = number
        own.append((group, letter))
        if Self.standsAlone(letter, form, hasOutside: hasOutside)
          || Self.isHeldByType(letter, form, hasOutside: hasOutside) && table.number(type) != nil
        {
          marked.insert(number)
        }
      }
      members.append(own)
    }
    guard groups.values.contains(where: { $0.count > 1 }) else { return }
    for row in table.rows {
      for (a, b) in zip(row, row.dropFirst()) where a != b {
        for (group, first) in members[a] where "BIM".utf8.contains(first) {
          let goesOn = members[b].contains { $0.group == group && "IMEL".utf8.contains($0.letter) }
          if goesOn, let all = groups[group] { marked.formUnion(all.values) }
        }
      }
    }
  }

  /// The forms that a tag may have; also some that are not read: a file of these is refused rather than
  /// taken for plain types.
  private static func forms(_ name: String) -> [TagForm] {
    let bytes = name.utf8
    guard bytes.count > 2, let first = bytes.first, let last = bytes.last,
      let second = bytes.dropFirst().first, let lastButOne = bytes.dropLast().last
    else { return [] }
    return [(TagForm.Place.prefix, first, second), (.suffix, last, lastButOne)].compactMap {
      place, letter, separator in
      let isLowercase = (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(letter)
      return "-_:/.|+=#~".utf8.contains(separator)
        ? TagForm(place, separator: separator, isLowercase: isLowercase) : nil
    }
  }

  private static func standsAlone(_ letter: UInt8, _ form: TagForm, hasOutside: Bool) -> Bool {
    guard form.place == .prefix, !form.isLowercase else { return false }
    return switch form.separator {
    case UInt8(ascii: "-"): (hasOutside ? "BISU" : "BI").utf8.contains(letter)
    case UInt8(ascii: "_"): hasOutside && "BI".utf8.contains(letter)
    default: false
    }
  }

  /// Whether the type alone, as another tag, says that this letter is a mark.
  private static func isHeldByType(_ letter: UInt8, _ form: TagForm, hasOutside: Bool) -> Bool {
    form.place == .prefix && hasOutside || "BI".utf8.contains(letter)
  }
}
