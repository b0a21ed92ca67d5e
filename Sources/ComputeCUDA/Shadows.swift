internal import Compute
internal import Synchronization

/// bf16 copies of trained fp32 weights, which products read: one copy of a whole allocation, so that a
/// parameter set is converted in one launch, when the first product after a change asks for it.
final class Shadows: Sendable {
  private struct Shadow {
    /// Of the allocation.
    var range: Range<UInt>
    var copy: UInt
    var isStale = true
  }

  private let list = Mutex<[Shadow]>([])

  /// Notes a change of the values at an address. Cheap: there are as many shadows as parameter sets.
  func changed(_ address: UInt) {
    list.withLock { list in
      for i in list.indices where list[i].range.contains(address) { list[i].isStale = true }
    }
  }

  /// Where the copy of `address`'s allocation begins, and whether it must be converted first.
  /// `allocate` makes room for a new one, of so many bytes.
  func copy(
    of range: Range<UInt>, allocate: (Int) throws(ComputeError) -> UInt
  ) throws(ComputeError) -> (address: UInt, isStale: Bool) {
    try list.withLock { list throws(ComputeError) in
      if let i = list.firstIndex(where: { $0.range == range }) {
        defer { list[i].isStale = false }
        return (list[i].copy, list[i].isStale)
      }
      let copy = try allocate(range.count / 2 + 64)
      list.append(Shadow(range: range, copy: copy, isStale: false))
      return (copy, true)
    }
  }

  /// Forgets the shadow of an allocation that ends; its copy, to be freed.
  func remove(_ start: UInt) -> UInt? {
    list.withLock { list in
      guard let i = list.firstIndex(where: { $0.range.lowerBound == start }) else { return nil }
      return list.remove(at: i).copy
    }
  }
}
