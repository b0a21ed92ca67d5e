/// Why a sequence got no result.
package enum ServingError: Error, Equatable, CustomStringConvertible {
  /// The tenant's queue, or everybody's, is full. Worth another try after `retryAfter` seconds.
  case overloaded(tenant: Bool, retryAfter: Int)
  /// One sequence is longer than a batch may be.
  case tooLong(tokens: Int, budget: Int)
  /// The deadline passed in the queue.
  case timedOut
  /// A stage took this batch and did not give it back in time.
  case hung(String)
  /// Whoever asked went away.
  case cancelled
  /// The server is stopping and takes nothing new.
  case stopping
  /// Lost without an answer: a mistake of ours, or a server that ends in haste.
  case dropped
  /// This vBERT cannot be loaded; others can.
  case vbert(name: String, why: String)
  /// What was computed is no number: parameters, base or table are damaged, or do not fit each other.
  case notFinite(name: String)
  /// The device failed under the batch.
  case compute(String)

  package var description: String {
    switch self {
    case .overloaded(let tenant, let seconds):
      (tenant ? "this tenant's queue is full" : "the server's queue is full")
        + "; try again in \(seconds) s"
    case .tooLong(let tokens, let budget):
      "a sequence of \(tokens) tokens is longer than a batch of \(budget); raise --token-budget"
    case .timedOut: "the request waited longer than its time limit; try again, or ask for less"
    case .hung(let what): "\(what); try again, or another server"
    case .cancelled: "the request was cancelled"
    case .stopping: "the server is stopping; try another one"
    case .dropped: "the request was lost before it was answered; try again"
    case .vbert(let name, let why): "\(name) cannot be served: \(why)"
    case .notFinite(let name):
      "the result of \(name) for this text is not a number: its parameters, its base or its table "
        + "hold values that cannot be computed with; train it again, or verify the base"
    case .compute(let why): "the computation failed: \(why)"
    }
  }
}
