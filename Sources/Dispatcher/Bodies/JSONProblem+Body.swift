internal import Model

extension JSONProblem {
  /// Lists and objects within each other, of a body.
  static let deepestBody = 128

  /// What is wrong with a body: where, in bytes, for it was made by a program and has no lines.
  var ofBody: APIError {
    switch fault {
    case .empty: .malformed("it is not JSON: it is empty, at byte \(offset)")
    case .syntax(let what): .malformed("it is not JSON: \(what), at byte \(offset)")
    case .number(let text):
      .malformed("the number \(clipped(text)) is not possible, at byte \(offset)")
    case .tooDeep(let deepest):
      .malformed("it is nested more than \(deepest) deep, at byte \(offset)")
    case .twice(let names):
      .refused(
        "\(clipped(names.joined(separator: "."))) is given twice: say it once",
        param: clipped(names.joined(separator: ".")))
    }
  }
}
