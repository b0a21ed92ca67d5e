package import Manager
package import Model

/// The version of a vBERT that a request is answered by: pinned when it arrives, so that it finishes
/// on it whatever is published meanwhile.
package struct PinnedVBert: Sendable, Hashable {
  package let id: VersionID
  package let name: String
  package let spec: VBertSpec

  package init(id: VersionID, name: String, spec: VBertSpec) {
    self.id = id
    self.name = name
    self.spec = spec
  }

  /// The base itself, without anybody's parameters: what the server asks to see whether it works.
  static func probe(_ base: ServedBase) -> PinnedVBert {
    PinnedVBert(
      id: VersionID(vbert: -1, number: 0), name: "the base \(base.name)",
      spec: VBertSpec(task: .embed, base: base.name, baseHash: base.contentHash, adapter: .none))
  }

  /// Needs no adapter made resident.
  var isProbe: Bool { id.vbert == -1 }

  package static func == (a: PinnedVBert, b: PinnedVBert) -> Bool { a.id == b.id }
  package func hash(into hasher: inout Hasher) { hasher.combine(id) }
}

/// One sequence to compute, for whom, and on what.
package struct Request: Sendable {
  package let vbert: PinnedVBert
  package let pin: BasePin
  package let tokens: TokenSequence
  /// For tag: the row of each word's first sub-token, nil for a word without one.
  package let words: [Int?]
  /// Tokens.
  package var length: Int { tokens.count }

  package init(vbert: PinnedVBert, on pin: BasePin, tokens: TokenSequence, words: [Int?] = []) {
    self.vbert = vbert
    self.pin = pin
    self.tokens = tokens
    self.words = words
  }
}

/// Whose request it is, and how long it may wait.
package struct Arrival: Sendable {
  package let tenant: Int64
  package let weight: Double
  package let deadline: ContinuousClock.Instant
  /// It takes what others leave: no place of the queue's that is counted, and a small part of a batch.
  package let isBackground: Bool

  package init(tenant: Int64, weight: Double, deadline: ContinuousClock.Instant) {
    self.tenant = tenant
    self.weight = weight
    self.deadline = deadline
    isBackground = false
  }

  /// Of a tenant's work that has time: behind everything that is asked, beside that of other tenants.
  package init(background tenant: Int64, deadline: ContinuousClock.Instant) {
    // A tenant's number is 0 or more: the queue knows the two apart.
    self.tenant = -2 - tenant
    // Who waits longer than a billion times as much work of others is next.
    weight = 1e-9
    self.deadline = deadline
    isBackground = true
  }
}
