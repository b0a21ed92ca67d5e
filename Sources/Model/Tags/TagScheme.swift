/// How tags of words say which words are one entity.
package struct TagScheme: Sendable, Hashable {
  package enum Kind: String, Sendable, CaseIterable {
    /// B begins an entity, I goes on in it.
    case bio
    /// I for every word of an entity; B where one begins right behind another of its type.
    case iob1
    /// As BIO, an entity of one word is S.
    case bios
    /// E ends an entity, I is every other word of it.
    case ioe
    /// B, I, E for the first, the inner and the last word, S for a single one.
    case bioes
    /// The same with L and U for E and S.
    case bilou
    /// The same with M for I.
    case bmes
    /// The same with M for I, W for S.
    case bmew
    /// The type itself; neighbours of one type are one entity.
    case plain
    /// The type itself, and every word a unit of its own.
    case units
  }

  /// What a mark says of its word.
  package enum Role: Sendable { case begin, inside, end, single }

  package var kind: Kind
  /// Of the marks; of no meaning where there are none.
  package var form: TagForm

  package init(_ kind: Kind, _ form: TagForm = TagForm(.prefix)) {
    self.kind = kind
    self.form = kind.letters.isEmpty ? TagForm(.prefix) : form
  }

  /// What one tag says.
  package enum Reading: Sendable, Equatable {
    case outside
    case part(Role, type: String)
    /// Not a tag of the scheme.
    case unreadable
  }

  /// What a tag says by itself. Compares bytes.
  package func read(_ tag: String) -> Reading {
    if tag.utf8.elementsEqual("O".utf8) { return .outside }
    if kind.letters.isEmpty { return .part(kind == .units ? .single : .inside, type: tag) }
    if form.isLowercase, tag.utf8.elementsEqual("o".utf8) { return .outside }
    guard let (letter, type) = form.split(tag), let role = kind.role(letter) else {
      return .unreadable
    }
    return .part(role, type: type)
  }
}

extension TagScheme.Kind {
  /// Its marks: begin, inside, end, single; `-` for none.
  var letters: [UInt8] {
    switch self {
    case .bio, .iob1: Array("BI".utf8)
    case .bios: Array("BI-S".utf8)
    case .ioe: Array("-IE".utf8)
    case .bioes: Array("BIES".utf8)
    case .bilou: Array("BILU".utf8)
    case .bmes: Array("BMES".utf8)
    case .bmew: Array("BMEW".utf8)
    case .plain, .units: []
    }
  }

  func role(_ letter: UInt8) -> TagScheme.Role? {
    guard let place = letters.firstIndex(of: letter), letter != UInt8(ascii: "-") else {
      return nil
    }
    return [.begin, .inside, .end, .single][place]
  }

  /// Whether an entity counts only where all of it is marked as the scheme says; else any marks say
  /// something.
  package var isStrict: Bool { letters.count == 4 && self != .bios }

  /// As people write it.
  package var title: String {
    switch self {
    case .plain: "plain tags (types without marks, and O)"
    case .units: "a tag for every word (no O)"
    default: rawValue.uppercased()
    }
  }
}

extension TagScheme: CustomStringConvertible {
  /// As people write it, with the form where it is not the usual one.
  package var description: String {
    form == TagForm(.prefix) ? kind.title : "\(kind.title) (as \(form.text))"
  }
}

/// One word, as specifications hold it: `bio`, `bioes:TYPE_X`, `plain`.
extension TagScheme: Codable {
  package var text: String {
    form == TagForm(.prefix) ? kind.rawValue : "\(kind.rawValue):\(form.text)"
  }

  /// nil for a text that says no scheme.
  package init?(text: String) {
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    guard let kind = Kind(rawValue: String(parts[0])) else { return nil }
    guard parts.count == 2 else {
      self.init(kind)
      return
    }
    guard let form = TagForm.all.first(where: { $0.text == parts[1] }), !kind.letters.isEmpty else {
      return nil
    }
    self.init(kind, form)
  }

  package init(from decoder: any Decoder) throws {
    let text = try decoder.singleValueContainer().decode(String.self)
    guard let scheme = TagScheme(text: text) else { throw SpecError.tagScheme(text) }
    self = scheme
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(text)
  }
}
