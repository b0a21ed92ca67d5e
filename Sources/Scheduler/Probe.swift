internal import Manager
internal import Model

/// Who else can say whether the server works; asked by a probe.
package protocol ProbeWitnesses: Sendable {
  /// Some vBERTs that have parameters, chosen anew every time, fewer than `count` only where there are
  /// no more.
  func some(_ count: Int) async -> [PinnedVBert]
  /// Asked from a thread of its own: what is wrong with stored parameters if it concerns all of them; nil otherwise.
  func storageFailure() -> String?
}

/// A small fixed text asked of every base in service, and, in doubt, of vBERTs too. It goes the way of
/// every request: queue, prefetch, device.
struct Probe: Sendable {
  let intake: Intake
  let bases: ServedBases
  let witnesses: (any ProbeWitnesses)?

  /// nil where all is well, or the reason. One broken vBERT proves nothing; that none of those asked
  /// answers, `suspects` (who failed of late) among them, does.
  func run(inDoubt: Bool, suspects: [PinnedVBert], within limit: Duration) async -> String? {
    for base in bases.loaded {
      let pin = BasePin(base: base, domain: 0)
      if let failure = await ask(.probe(base), pin, limit) { return failure }
    }
    guard inDoubt else { return nil }
    let most = 4
    let sample = await witnesses?.some(most) ?? []
    let asked = sample + suspects.filter { !sample.contains($0) }
    // One alone is no proof unless there are no others.
    guard asked.count > 1 || !sample.isEmpty else { return nil }
    var last: String?
    for vbert in asked {
      guard let pin = try? bases.pin(vbert.spec) else { continue }
      guard let failure = await ask(vbert, pin, limit) else { return nil }
      last = failure
    }
    return last.map { "none of \(asked.count) vBERTs asked answers; the last: \($0)" }
  }

  private func ask(_ vbert: PinnedVBert, _ pin: BasePin, _ limit: Duration) async -> String? {
    let base = pin.base
    let most = min(16, base.configuration.maxPositions, intake.tokenBudget)
    let text = base.tokenizer.encode("Is anybody there?", maxLength: most)
    let isTag = vbert.spec.task == .tag
    let tokens: TokenSequence
    do { tokens = try TokenSequence(text, for: base.configuration) } catch {
      return "the base \(base.name) cannot be asked: \(error)"
    }
    let request = Request(vbert: vbert, on: pin, tokens: tokens, words: isTag ? [0] : [])
    do throws(ServingError) {
      _ = try await intake.replies(
        to: [request], Arrival(tenant: -1, weight: 1, deadline: .now + limit), isProbe: true)
      return nil
    } catch {
      // Stopping is not an illness.
      return error == .stopping ? nil : "\(error)"
    }
  }
}
