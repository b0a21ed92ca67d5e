import Compute
import Testing

@testable import ComputeCUDA

/// What decides which rows and adapters are on the device.
@Suite struct ResidencyTests {
  @Test func rowsOfLiveBatchesAreSpared() {
    var batches = LiveBatches()
    #expect(batches.oldest == 1)
    let numbers = (0..<3).map { _ in batches.begin() }
    #expect(numbers == [1, 2, 3] && batches.oldest == 1)
    batches.end(2)
    #expect(batches.oldest == 1)
    batches.end(1)
    #expect(batches.oldest == 3)
    batches.end(3)
    // Nobody reads: the next batch's own stamp is spared alone.
    #expect(batches.oldest == 4 && batches.begin() == 4)
  }

  @Test func everyLackingKeyIsAskedForOnce() {
    let lacking = LackingKeys([5, 0, 7, 5, 9, 7], found: [0, 0, 0, 0, 64, 0])
    #expect(lacking.places == [0, 2])
    #expect(lacking.numbers == [0, -1, 1, 0, -1, 1])
  }
}

extension BackendLogicTests {
  private func adapter(_ value: Float) -> HostAdapter {
    HostAdapter(
      head: HostMatrix(
        weight: [Float](repeating: value, count: 64), bias: [0, 0], outputs: 2, inputs: 32))
  }

  @Test func adaptersComeWhenTheyAreWantedAndTheOldestLeave() throws {
    let lane = try backend()
    let stream = AdapterStream(lane: lane, byteCount: 2 * PagePool.pageBytes)
    let kept = try (0..<3).map { try stream.keep(adapter(Float($0))) }
    let page = PagePool.pageBytes
    func bring(_ numbers: [Int]) throws -> [UInt] {
      try stream.bring(numbers.map { kept[$0] }).map { try #require($0 as? CUDAAdapter).root }
    }
    let first = try bring([0, 1])
    #expect(try bring([1, 0]) == first.reversed())
    #expect(stream.copiedBytes == 2 * page)
    // One page must be given back for this.
    let third = try bring([2])
    #expect(first.contains(third[0]) && stream.copiedBytes == 3 * page)
    // What is in the page is the third's: its head's numbers, and its own address in the directory.
    let image = try AdapterImage(adapter(2))
    let memory = UInt(third[0])
    let weight: [Float] = try lane.read(memory + UInt(image.entries[0].first) * 512, count: 32)
    #expect(weight == [Float](repeating: 2, count: 32))
    let address: [UInt64] = try lane.read(memory + 16 + 16 * UInt(image.entries.count), count: 1)
    #expect(address == [UInt64(memory)])
  }

  @Test func whatABatchHoldsIsNotReused() throws {
    let lane = try backend { $0.adapterBytes = 2 * PagePool.pageBytes }
    let stream = AdapterStream(lane: lane, byteCount: PagePool.pageBytes)
    let kept = try (0..<4).map { try stream.keep(adapter(Float($0))) }
    let batch = try stream.bring([kept[0], kept[1]])
    #expect(throws: ComputeError.self) { _ = try stream.bring([kept[2]]) }
    withExtendedLifetime(batch) {}
  }

  @Test func aBatchWaitsForItsAdaptersOnTheDevice() throws {
    let lane = try backend()
    unsafe FakeDriver.record.isEventPassed = false
    let stream = AdapterStream(
      lane: try CUDABackend(device: lane.device), byteCount: 8 * PagePool.pageBytes)
    let kept = try (0..<3).map { try stream.keep(adapter(Float($0))) }
    let here = try stream.bring(kept)
    let groups = here.enumerated().map { RowGroup(rows: $0..<$0 + 1, adapter: $1) }
    _ = try lane.place(groups)
    // One mark for all that came together.
    unsafe #expect(FakeDriver.record.waits == 1)
    unsafe FakeDriver.record.isEventPassed = true
    _ = try lane.place(groups)
    _ = try lane.place(groups)
    unsafe #expect(FakeDriver.record.waits == 1)
  }

  @Test func groupsAreLetGoWhenTheLaneHasComeBy() throws {
    let lane = try backend()
    unsafe FakeDriver.record.isEventPassed = false
    var resident: (any ResidentAdapter)? = try lane.load(adapter(1))
    let free = lane.device.pages.counts.free
    var groups: (any PlacedGroups)? = try lane.place([RowGroup(rows: 0..<1, adapter: resident)])
    resident = nil
    _ = try lane.place([])
    // The caller may use them again.
    #expect(lane.device.pages.counts.free == free)
    withExtendedLifetime(groups) {}
    groups = nil
    _ = try lane.place([])
    #expect(lane.device.pages.counts.free == free)
    unsafe FakeDriver.record.isEventPassed = true
    _ = try lane.place([])
    _ = try lane.place([])
    #expect(lane.device.pages.counts.free == free + 1)
  }

  /// The kernels' part is played by Swift: an unbounded table of what was admitted.
  @Test func rowsAreCopiedOnceAndFoundThen() throws {
    let lane = try backend()
    let hidden = 8
    let cache = try CUDARowCache(
      device: lane.device, byteCount: 1 << 16, hidden: hidden, type: .float32)
    unsafe FakeDriver.record.kernels["findRows"] = { arguments in
      let wanted = unsafe UnsafePointer<UInt64>(bitPattern: UInt(arguments[0]))
      let found = unsafe UnsafeMutablePointer<UInt64>(bitPattern: UInt(arguments[8]))
      for i in 0..<Int(Int32(truncatingIfNeeded: arguments[1])) {
        if let wanted = unsafe wanted {
          unsafe found?[i] = FakeDriver.record.admitted[wanted[i]] ?? 0
        }
      }
    }
    unsafe FakeDriver.record.kernels["admitRows"] = { arguments in
      guard let wanted = unsafe UnsafePointer<UInt64>(bitPattern: UInt(arguments[0])) else {
        return
      }
      let row = UInt64(Int32(truncatingIfNeeded: arguments[7]))
      for i in 0..<Int(Int32(truncatingIfNeeded: arguments[2])) {
        unsafe FakeDriver.record.admitted[wanted[i]] = arguments[1] + UInt64(i) * row
      }
    }
    let values = (0..<10 * 24).map { Float($0) }
    unsafe try values.withUnsafeBytes { memory in
      let start = UInt(bitPattern: memory.baseAddress)
      var asked: [[Int]] = []
      func find(_ keys: [UInt64]) throws -> CachedRows {
        try cache.rows(for: keys) { places in
          asked.append(places)
          return places.map {
            NGramRow(address: start + UInt(keys[$0]) * 24 * 4, type: .float32)
          }
        }
      }
      func firstValues(_ rows: CachedRows) throws -> [Float] {
        try rows.rows.map { try $0.address == 0 ? -1 : lane.read($0.address, count: 1)[0] }
      }
      let keys: [UInt64] = [3, 0, 9, 3, 1]
      let first = try find(keys)
      #expect(asked == [[0, 2, 4]] && first.missing == [0, -1, 1, 0, 2])
      #expect(try firstValues(first) == [72, -1, 216, 72, 24])
      let second = try find([9, 2, 3])
      #expect(asked == [[0, 2, 4], [1]] && second.missing == [-1, 0, -1])
      #expect(try firstValues(second) == [216, 48, 72])
      #expect(cache.asked == 8 && cache.copied == 4)
      struct Refused: Error {}
      #expect(throws: Refused.self) {
        _ = try cache.rows(for: [7]) { _ throws(Refused) in throw Refused() }
      }
    }
  }
}
