internal import Model

/// What is wrong with a body as JSON.
enum JSONProblem: Error, Equatable {
  /// Not JSON, in words, and at which byte it ends to be.
  case broken(String, at: Int)
  /// A member is given twice: its path.
  case twice(String)

  var words: String {
    switch self {
    case .broken(let what, let place): "it is not JSON: \(what), at byte \(place)"
    case .twice(let path): "\(clipped(path)) is given twice: say it once"
    }
  }
}
