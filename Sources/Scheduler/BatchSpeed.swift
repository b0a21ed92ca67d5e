/// How long sequences take, as measured: seconds a unit, for each base and stage.
///
/// A unit is the cost of a token in a short sequence. Attention grows with the square of a sequence's
/// length, and every sequence has its share of placing, head and answer; so a sequence of n tokens is
/// n + n^2 / 1024 + 4 units, and a batch 32 more.
///
/// Rates are sums of times over sums of units, both fading, so large batches say more than small
/// ones. A batch that took much longer than foreseen (a tenant whose n-grams are in no table, say)
/// counts for more: too small a batch costs little, too large a one keeps everybody waiting.
package struct BatchSpeed: Sendable {
  package enum Stage: Sendable, Hashable, CaseIterable { case prepare, compute }

  private struct Rate {
    var seconds = 0.0
    var units = 0.0

    var secondsPerUnit: Double? { units > 0 ? seconds / units : nil }

    mutating func learn(_ new: Double, _ newUnits: Double) {
      let expected = (secondsPerUnit ?? 0) * newUnits
      let memory = new > 1.5 * expected ? 0.4 : 0.8
      seconds = memory * seconds + new
      units = memory * units + newUnits
    }
  }

  private struct Rates {
    var prepare = Rate()
    var compute = Rate()
  }

  private var bases: [String: Rates] = [:]

  package init() {}

  package static let batchUnits = 32.0

  /// Of one sequence.
  package static func units(tokens: Int) -> Double {
    let n = Double(tokens)
    return n + n * n / 1024 + 4
  }

  /// Notes that `units` of a batch on `base` (`batchUnits` among them) took so long.
  package mutating func learn(_ stage: Stage, base: String, units: Double, took: Duration) {
    guard units > 0 else { return }
    let seconds = max(0, took / .seconds(1))
    switch stage {
    case .prepare: bases[base, default: Rates()].prepare.learn(seconds, units)
    case .compute: bases[base, default: Rates()].compute.learn(seconds, units)
    }
  }

  /// Seconds that a unit takes; nil before the first batch of that base.
  package func seconds(_ stage: Stage, base: String) -> Double? {
    switch stage {
    case .prepare: bases[base]?.prepare.secondsPerUnit
    case .compute: bases[base]?.compute.secondsPerUnit
    }
  }
}
