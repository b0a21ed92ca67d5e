internal import Scheduler

/// What is the client's to hear, and what the log's.
extension APIError {
  static let operators = "the server's operator must look, its log says more"

  /// Words of the server's rooms, where a tenant may hear them: not where they name a place on its disk.
  static func told(_ why: String) -> String? { why.contains("/") ? nil : why }

  /// Of two members that cannot both be meant.
  static func contradiction(_ one: String, _ other: String) -> APIError {
    .refused("\(one) and \(other) contradict each other: say one of them", param: one)
  }

  /// For the operator, in full; nil where it is the client's own matter.
  var log: String? {
    switch self {
    case .unservable(_, let log): log
    case .unhealthy(let why): Self.told(why) == nil ? why : nil
    case .serving(.vbert), .serving(.compute), .serving(.notFinite): cause
    default: nil
    }
  }

  private var cause: String {
    if case .serving(let error) = self { error.description } else { message }
  }
}
