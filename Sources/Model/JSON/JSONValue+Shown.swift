extension JSONValue {
  /// For messages: short, whatever it is.
  package var shown: String {
    switch kind {
    case .null: return "null"
    case .flag: return "\(flag ?? false)"
    case .number: return (number ?? "").clipped
    case .text: return Self.shown(text ?? "")
    case .list:
      let list = list ?? []
      return list.count > 4
        ? "a list of \(list.count)" : "[\(list.map(\.shown).joined(separator: ", "))]".clipped
    case .object:
      let names = (members ?? []).prefix(4).map { Self.shown($0.name) }
      return "{\(names.joined(separator: ", "))}".clipped
    }
  }

  /// As a text is shown.
  static func shown(_ text: String) -> String { "\"\(Model.clipped(text))\"" }
}
