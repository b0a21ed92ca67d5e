package import Compute
package import Model

/// What somebody asks for who makes a vBERT; what is not said is what suits the base and the task.
package struct NewVBert: Sendable {
  package var task: VBertTask
  package var base: String?
  package var domain: String?
  package var adapter: AdapterSpec?
  package var pooling: Pooling?
  package var labels: [String]
  package var maxLength: Int?

  package init(
    task: VBertTask, base: String? = nil, domain: String? = nil, adapter: AdapterSpec? = nil,
    pooling: Pooling? = nil, labels: [String] = [], maxLength: Int? = nil
  ) {
    (self.task, self.base, self.domain, self.adapter) = (task, base, domain, adapter)
    (self.pooling, self.labels, self.maxLength) = (pooling, labels, maxLength)
  }

  /// `mean` or `cls`. Throws `SpecError`.
  package mutating func pool(as text: String) throws(SpecError) {
    pooling = try Pooling(parsing: text)
  }

  /// With the base that it is made for, and why that one. Throws `NewVBertError`, `BaseChoiceError`,
  /// `BaseError`, and what `VBertSpec.check` throws.
  package func spec(
    _ choice: BaseChoice
  ) async throws -> (spec: VBertSpec, base: Base, reason: BaseChoice.Reason) {
    if pooling == .normalizedMean { throw NewVBertError.normalized }
    if pooling != nil, task == .tag { throw NewVBertError.pooledTagger }
    let (chosen, reason) = try await choice.choose(base)
    let defaults = chosen.record.defaults
    let spec = VBertSpec(
      task: task, base: chosen.name, baseHash: chosen.record.contentHash, domain: domain,
      adapter: adapter ?? .standard(for: task), pooling: pooling ?? defaults.pooling(for: task),
      labels: labels,
      maxLength: maxLength
        ?? defaults.maxLength(for: task, positions: chosen.configuration.maxPositions))
    try spec.check(base: chosen.configuration)
    if let domain { try chosen.check(domain: domain) }
    return (spec, chosen, reason)
  }
}

package enum NewVBertError: Error, Equatable, CustomStringConvertible {
  case normalized
  case pooledTagger

  package var description: String {
    switch self {
    case .normalized:
      "mean-normalized is what training on few rows makes of mean: say mean, or nothing"
    case .pooledTagger: "a tagger reads every word's own state: leave pooling out"
    }
  }
}
