/// What stands against a file of a model's folder: the file, the member, what it says, and what to do.
package enum FolderProblem: Error, Equatable, CustomStringConvertible {
  /// It is no JSON, or not the JSON that such a file holds.
  case unreadable(file: String, what: String)
  case wrongKind(file: String, member: String, value: String, expected: String)
  /// It says what would change answers, and that is not done here.
  case refused(file: String, member: String, value: String, why: String)
  /// The same of the file as a whole.
  case refusedFile(file: String, why: String)

  package var description: String {
    switch self {
    case .unreadable(let file, let what): "\(file): \(what)"
    case .wrongKind(let file, let member, let value, let expected):
      "\(file): \(member) is \(value), not \(expected)"
    case .refused(let file, let member, let value, let why):
      "\(file): \(member) is \(value): \(why)"
    case .refusedFile(let file, let why): "\(file): \(why)"
    }
  }
}
