/// The share of the machine that a tenant rents.
package struct VirtualProcessor: Sendable, Hashable {
  /// Share in the fair queue, relative to the others' weights.
  package let weight: Double
  package let limits: Limits

  /// What a tenant may use at most; nil is as much as there is.
  package struct Limits: Sendable, Hashable, Codable {
    /// On average.
    package var tokensPerSecond: Double?
    /// Tokens that may come at once; nil: what gathers in 10 seconds.
    package var burst: Double?
    /// Under way at once.
    package var requests: Int?
    /// That wait or are computed.
    package var sequences: Int?
    package var vberts: Int?
    /// Of all versions and files that are stored.
    package var bytes: Int?
    /// Trainings in a server at once.
    package var trainings: Int?

    package init(
      tokensPerSecond: Double? = nil, burst: Double? = nil, requests: Int? = nil,
      sequences: Int? = nil, vberts: Int? = nil, bytes: Int? = nil, trainings: Int? = nil
    ) {
      (self.tokensPerSecond, self.burst) = (tokensPerSecond, burst)
      (self.requests, self.sequences) = (requests, sequences)
      (self.vberts, self.bytes, self.trainings) = (vberts, bytes, trainings)
    }

    enum CodingKeys: String, CodingKey {
      case requests, sequences, burst, vberts, bytes, trainings
      case tokensPerSecond = "tokens_per_second"
    }
  }

  package static let standard = VirtualProcessor(known: 1)

  /// Throws `invalidWeight` outside 0.01...100, since a share of nothing would never be served, and
  /// `invalidLimit`.
  package init(weight: Double, limits: Limits = Limits()) throws(RegistryError) {
    guard 0.01...100 ~= weight else { throw .invalidWeight(weight) }
    func check(_ value: Double?, _ name: String, from least: Double) throws(RegistryError) {
      guard let value else { return }
      guard value >= least, value <= 1e15 else { throw .invalidLimit(name: name, least: least) }
    }
    try check(limits.tokensPerSecond, "tokens_per_second", from: 0.001)
    try check(limits.burst, "burst", from: 1)
    try check(limits.requests.map(Double.init), "requests", from: 1)
    try check(limits.sequences.map(Double.init), "sequences", from: 1)
    try check(limits.vberts.map(Double.init), "vberts", from: 0)
    try check(limits.bytes.map(Double.init), "bytes", from: 0)
    try check(limits.trainings.map(Double.init), "trainings", from: 0)
    if limits.burst != nil, limits.tokensPerSecond == nil { throw .burstAlone }
    (self.weight, self.limits) = (weight, limits)
  }

  private init(known weight: Double) { (self.weight, limits) = (weight, Limits()) }
}
