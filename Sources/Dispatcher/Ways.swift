internal import Manager
internal import Model
internal import Scheduler

extension Dispatcher {
  /// The routes that answer for it, with a body for each as it is written.
  func ways(to vbert: PinnedVBert) -> String {
    let base = bases.loaded.first { $0.name == vbert.spec.base }
    return vbert.ways(readsPairs: base?.configuration.readsPairs ?? true)
  }
}

extension PinnedVBert {
  /// `readsPairs`: its base does.
  fileprivate func ways(readsPairs: Bool) -> String {
    func body(_ members: String) -> String { "{\"model\": \"\(name)\", \(members)}" }
    let pair = "/predict \(body("\"inputs\": [\"a text\", \"another\"]"))"
    let text = "/predict \(body("\"inputs\": \"a text\""))"
    switch spec.task {
    case .classify, .multilabel:
      if spec.input == .pair { return pair }
      return "\(text) or /classify \(body("\"input\": \"a text\""))"
    case .tag: return "/tag \(body("\"inputs\": \"a text\""))"
    case .embed:
      return "/embed \(body("\"inputs\": \"a text\"")) or "
        + "/v1/embeddings \(body("\"input\": \"a text\""))"
    case .score:
      if spec.input == .text || !readsPairs { return text }
      return "/rerank \(body("\"query\": \"a text\", \"texts\": [\"another\"]")) or \(pair)"
    }
  }
}

extension APIError {
  /// Why a vBERT's base cannot be used: its tenant is told what can be told without the server's own
  /// names of places, the log everything.
  init(_ error: any Error, of vbert: PinnedVBert) {
    let base = vbert.spec.base
    let why =
      switch error {
      case let error as SpecProblem: "\(error)"
      case let error as ServedBaseError: "\(error)"
      case let error as PLOTError: "\(error)"
      case BaseError.noBase:
        "the base \(base) that it was made on is not here; the server's operator must bring it back"
      default: "the base \(base) of this vBERT is damaged; the server's operator must look"
      }
    let what = error is PLOTError ? "its domain's table is missing or" : "the base of this vBERT is"
    let told = Self.told(why) ?? "\(what) damaged; the server's operator must look"
    self = .unservable(
      "\(vbert.name) cannot be served: \(told)", log: "\(vbert.name) cannot be served: \(error)")
  }
}
