/// Which tags of a file seem to carry a mark, so that they are no plain types.
///
/// A type may look like a marked tag ("E-MAIL", "VITAMIN-B", "Start-Date"), so one look is not enough,
/// except for B- and I-, where there is an O also S-, U-, B_ and I_: those stand alone in well-formed
/// files. Others need company: the same type under another mark right beside it, or without any.
struct MarkEvidence {
  private(set) var marked: Set<Int> = []

  init(_ table: TagTable, hasOutside: Bool) {
    var groups: [MarkLook.Group: [UInt8: Int]] = [:]
    var members: [[MarkLook]] = []
    for (number, name) in table.names.enumerated() {
      let looks = MarkLook.all(of: name)
      for look in looks {
        groups[look.group, default: [:]][look.letter] = number
        if look.standsAlone(hasOutside: hasOutside)
          || look.isHeldByType(hasOutside: hasOutside) && table.number(look.group.type) != nil
        {
          marked.insert(number)
        }
      }
      members.append(looks)
    }
    guard groups.values.contains(where: { $0.count > 1 }) else { return }
    for row in table.rows {
      for (a, b) in zip(row, row.dropFirst()) where a != b {
        for first in members[a] where members[b].contains(where: first.goesOn) {
          if let all = groups[first.group] { marked.formUnion(all.values) }
        }
      }
    }
  }
}
