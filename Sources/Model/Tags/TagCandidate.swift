/// A scheme that is tried on a file's tags.
struct TagCandidate {
  let scheme: TagScheme
  /// Different types that it reads.
  let types: Int
  private let readings: [Reading]

  private enum Reading {
    case outside
    case part(TagScheme.Role, type: Int)
    case fault(TagProblem.Fault.Kind)
  }

  /// nil where the file has nothing of what tells this scheme from others.
  init?(_ kind: TagScheme.Kind, _ form: TagForm, _ table: TagTable) {
    let scheme = TagScheme(kind, form)
    var used: Set<UInt8> = []
    var types: [[UInt8]: Int] = [:]
    readings = table.names.map { name in
      switch scheme.read(name) {
      case .outside: return .outside
      case .unreadable: return .fault(.foreign)
      case .part(let role, let type):
        if let letter = form.split(name)?.letter { used.insert(letter) }
        let bytes = Array(type.utf8)
        let number = types[bytes] ?? types.count
        types[bytes] = number
        return .part(role, type: number)
      }
    }
    self.scheme = scheme
    self.types = types.count
    guard kind.isShown(by: used, form, types: types.count, hasOutside: table.hasOutside) else {
      return nil
    }
  }

  /// Plain types, or a tag for every word where none is O.
  init(plain table: TagTable, _ evidence: MarkEvidence) {
    scheme = TagScheme(table.hasOutside ? .plain : .units)
    let (slips, outside) = (table.slips, table.number("O"))
    readings = table.names.indices.map { number in
      if number == outside { return .outside }
      if slips.contains(number) { return .fault(.slip) }
      return evidence.marked.contains(number) ? .fault(.marked) : .part(.single, type: number)
    }
    types = table.names.count
  }

  /// What the scheme cannot read in a row, the first of it.
  func fault(_ row: [Int]) -> (word: Int, kind: TagProblem.Fault.Kind)? {
    var open: (start: Int, type: Int)?
    let marksEnds = scheme.kind.isStrict
    let marksAll = marksEnds || scheme.kind == .bios
    var length = 0
    /// A begin must be gone on with: to its end where ends are marked, else by one word.
    func isUnended() -> Bool { open != nil && (marksEnds || length < 2) }
    for (word, tag) in row.enumerated() {
      switch readings[tag] {
      case .fault(let kind): return (word, kind)
      case .outside:
        if isUnended() { return (open?.start ?? 0, .unended) }
        open = nil
      case .part(let role, let type):
        guard marksAll else { continue }
        switch role {
        case .begin, .single:
          if isUnended() { return (open?.start ?? 0, .unended) }
          open = role == .begin ? (word, type) : nil
          length = 1
        case .inside, .end:
          guard open?.type == type else { return (word, .unbegun) }
          length += 1
          if role == .end { open = nil }
        }
      }
    }
    return isUnended() ? (open?.start ?? 0, .unended) : nil
  }

  /// Whether it reads this tag by itself.
  func reads(_ tag: Int) -> Bool {
    if case .fault = readings[tag] { false } else { true }
  }
}

extension TagScheme.Kind {
  /// Whether a file with these marks may be of this scheme. Marks alone, without types, are taken for
  /// marks only where there is more than one kind of them, or an O: else "S" may be any type. Single words
  /// of one type alone are not taken for W: W-2 is a form of taxes.
  fileprivate func isShown(
    by used: Set<UInt8>, _ form: TagForm, types: Int, hasOutside: Bool
  ) -> Bool {
    func uses(_ letters: String) -> Bool { letters.utf8.allSatisfy(used.contains) }
    let isAlone = form.place == .alone
    return switch self {
    case .bio: isAlone ? uses("BI") || hasOutside && !used.isEmpty : !used.isEmpty
    case .bios: !isAlone && uses("S") && (uses("B") || uses("I"))
    case .ioe: !isAlone && uses("IE")
    case .bioes: uses("BE") || !isAlone && used == [UInt8(ascii: "S")]
    case .bilou: uses("BL") || !isAlone && used == [UInt8(ascii: "U")]
    case .bmes: uses("BME")
    case .bmew: uses("BEW") || !isAlone && types > 1 && used == [UInt8(ascii: "W")]
    case .iob1, .plain, .units: false
    }
  }
}
