/// How long training waits between two steps, so that beside work of others it takes its share of the time and no
/// more. A pure value: the clock is the caller's.
package struct TrainingLease: Sendable {
  /// Of the time, while others work; alone it takes all.
  package let share: Double
  /// When the last step's wait was over.
  private var begun: Duration?

  /// `share`: 0.01 to 1.
  package init(share: Double) { self.share = min(1, max(0.01, share)) }

  /// What is to be waited before the next step, which may begin at `now` at the earliest; a single long step is not
  /// paid for with more than `longest`. With `isBusy` others work. O(1).
  package mutating func wait(
    at now: Duration, isBusy: Bool, longest: Duration = .seconds(2)
  ) -> Duration {
    defer { if begun == nil { begun = now } }
    guard let begun else { return .zero }
    let worked = now - begun
    let pause = isBusy ? min(longest, max(.zero, worked * (1 / share - 1))) : .zero
    self.begun = now + pause
    return pause
  }
}
