internal import Compute
internal import Synchronization

/// bf16 copies of trained fp32 weights, which products read: one copy of a whole allocation, so that a
/// parameter set is converted in one launch, when the first product after a change asks for it.
final class Shadows: Sendable {
  private struct Shadow {
    var copy: UInt
    var isStale = true
  }

  private struct State {
    /// Allocations that have a shadow.
    var ranges = AddressRanges()
    /// By the allocation's first address.
    var shadows: [UInt: Shadow] = [:]
  }

  private let state = Mutex(State())

  /// Notes a change of the values at an address. O(log n) for n parameter sets.
  func changed(_ address: UInt) {
    state.withLock { state in
      guard let range = state.ranges.range(containing: address) else { return }
      state.shadows[range.lowerBound]?.isStale = true
    }
  }

  /// Where the copy of an allocation begins, and whether it must be converted first. `allocate` makes
  /// room for a new one, of so many bytes.
  func copy(
    of range: Range<UInt>, allocate: (Int) throws(ComputeError) -> UInt
  ) throws(ComputeError) -> (address: UInt, isStale: Bool) {
    try state.withLock { state throws(ComputeError) in
      if let known = state.shadows[range.lowerBound] {
        state.shadows[range.lowerBound]?.isStale = false
        return (known.copy, known.isStale)
      }
      let copy = try allocate(range.count / 2 + 64)
      state.ranges.insert(range.lowerBound, byteCount: range.count)
      state.shadows[range.lowerBound] = Shadow(copy: copy, isStale: false)
      return (copy, true)
    }
  }

  /// Forgets the shadow of an allocation that ends; its copy, to be freed.
  func remove(_ start: UInt) -> UInt? {
    state.withLock { state in
      guard let shadow = state.shadows.removeValue(forKey: start) else { return nil }
      state.ranges.remove(start)
      return shadow.copy
    }
  }
}
