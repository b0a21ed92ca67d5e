/// Runs of device memory by address: who owns a pointer is found in O(log n).
struct AddressRanges: Sendable {
  /// Ascending, disjoint.
  private var starts: [UInt] = []
  private var ends: [UInt] = []

  mutating func insert(_ start: UInt, byteCount: Int) {
    let place = first(after: start)
    starts.insert(start, at: place)
    ends.insert(start + UInt(byteCount), at: place)
  }

  mutating func remove(_ start: UInt) {
    let place = first(after: start) - 1
    guard place >= 0, starts[place] == start else { return }
    starts.remove(at: place)
    ends.remove(at: place)
  }

  /// The run that holds the address.
  func range(containing address: UInt) -> Range<UInt>? {
    let place = first(after: address) - 1
    return place >= 0 && address < ends[place] ? starts[place]..<ends[place] : nil
  }

  private func first(after address: UInt) -> Int {
    var (low, high) = (0, starts.count)
    while low < high {
      let middle = (low + high) / 2
      if starts[middle] <= address { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
