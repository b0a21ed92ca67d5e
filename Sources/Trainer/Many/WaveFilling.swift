/// Who trains in one wave: needs in, one by one; out comes whether there is room. What waits for the next
/// wave finds all of it there.
package struct WaveFilling: Sendable, Equatable {
  package enum Verdict: Sendable, Equatable {
    case taken
    /// There is room for it in a wave of its own, or of others.
    case later
    /// In no wave. `needed`: what it and the floor take together.
    case never(needed: TrainingBytes)
  }

  private let memory: TrainingMemory
  private let floor: TrainingBytes
  private let most: Int
  private var own = TrainingBytes()
  private var scratch = TrainingBytes()
  /// Of all of them.
  package private(set) var states = 0
  package private(set) var count = 0

  /// At most `most` in `memory`, of which `floor` is taken.
  package init(memory: TrainingMemory, floor: TrainingBytes, most: Int) {
    (self.memory, self.floor, self.most) = (memory, floor, max(1, most))
  }

  package var isFull: Bool { count >= most }

  package mutating func take(_ need: TrainingNeed) -> Verdict {
    let least = floor + need.own + need.scratch
    // States that are not kept are computed anew: slower, but the same.
    guard memory.holds(least) else { return .never(needed: least) }
    let scratch = TrainingBytes.larger(scratch, need.scratch)
    let own = own + need.own
    let all = floor + own + scratch + TrainingBytes(device: states + need.states)
    guard count == 0 || !isFull && memory.holds(all) else { return .later }
    (self.own, self.scratch) = (own, scratch)
    states += need.states
    count += 1
    return .taken
  }

  /// Bytes of frozen states that may be kept.
  package var stateBytes: Int {
    min(states, memory.deviceBytes(beside: floor + own + scratch))
  }
}
