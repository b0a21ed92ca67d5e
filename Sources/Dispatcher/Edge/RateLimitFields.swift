internal import HTTPTypes
internal import Scheduler

extension HTTPFields {
  /// What is left of a tenant's limits, by OpenAI's names; requests are those that are under way at once.
  init(_ state: Quotas.State) {
    self.init()
    func add(_ name: String, _ value: String) {
      if let name = HTTPField.Name("x-ratelimit-\(name)") {
        append(HTTPField(name: name, value: value))
      }
    }
    if let most = state.limits.requests {
      add("limit-requests", "\(most)")
      add("remaining-requests", "\(Swift.max(0, most - state.requests))")
    }
    if let depth = state.limits.depth, let rate = state.limits.tokensPerSecond {
      add("limit-tokens", "\(Int(depth))")
      add("remaining-tokens", "\(Swift.max(0, Int(state.tokens)))")
      // Until the bucket is full again.
      add("reset-tokens", "\(Int(((depth - state.tokens) / rate).rounded(.up)))s")
    }
  }
}
