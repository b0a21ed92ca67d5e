import Compute
import Dispatch
import Testing

@testable import ComputeCUDA

@Suite struct MemoryTests {
  @Test func pagesAreAllOrNoneAndComeBack() throws {
    let pool = PagePool(limit: 3000 * PagePool.pageBytes)
    var blocks: [Int] = []
    func take(_ count: Int) throws(ComputeError) -> [UInt] {
      try pool.take(count) { bytes throws(ComputeError) in
        blocks.append(bytes)
        return UInt(blocks.count) << 32
      }
    }
    let first = try take(10)
    #expect(first == (0..<10).map { UInt(1) << 32 + UInt($0 * PagePool.pageBytes) })
    let rest = try take(2990)
    #expect(Set(first + rest).count == 3000)
    #expect(blocks == [2048 * PagePool.pageBytes, 952 * PagePool.pageBytes])
    let error = #expect(throws: ComputeError.self) { _ = try take(1) }
    #expect("\(error as Any)".contains("raise --cache-bytes"))
    pool.giveBack(first)
    #expect(pool.counts.free == 10)
    #expect(throws: ComputeError.self) { _ = try take(11) }
    #expect(Set(try take(10)) == Set(first))
    #expect(pool.close() == [1 << 32, 2 << 32])
  }

  @Test func pagesThatABatchHoldsAreWaitedFor() throws {
    let pool = PagePool(limit: 4 * PagePool.pageBytes, patience: .seconds(20))
    let held = try pool.take(3) { _ throws(ComputeError) in 1 << 32 }
    DispatchQueue.global().asyncAfter(deadline: .now() + 0.03) { pool.giveBack(held) }
    let taken = try pool.take(4) { _ throws(ComputeError) in 2 << 32 }
    #expect(Set(held).isSubset(of: taken))
    // More than there will ever be is not waited for.
    #expect(throws: ComputeError.self) { _ = try pool.take(5) { _ throws(ComputeError) in 0 } }
    let impatient = PagePool(limit: PagePool.pageBytes, patience: .milliseconds(20))
    _ = try impatient.take(1) { _ throws(ComputeError) in 1 << 32 }
    #expect(throws: ComputeError.self) {
      _ = try impatient.take(1) { _ throws(ComputeError) in 0 }
    }
  }

  @Test func theCachesBoundFitsThePool() throws {
    let gib = 1 << 30
    let share = try AdapterShare(adapterBytes: 8 * gib, freeBytes: 100 * gib)
    #expect(share.kept == 8 * gib && share.pool == 10 * gib)
    #expect(try AdapterShare(adapterBytes: 60 * gib, freeBytes: 64 * gib).pool == 64 * gib)
    #expect(try AdapterShare(adapterBytes: 0, freeBytes: gib).pool == PagePool.pageBytes)
    #expect(throws: ComputeError.outOfMemory(requestedBytes: gib, flag: "--cache-bytes")) {
      _ = try AdapterShare(adapterBytes: 3 * gib, freeBytes: 2 * gib)
    }
  }

  @Test func rangesKnowTheirAddresses() {
    var ranges = AddressRanges()
    for start in [UInt(500), 100, 300] { ranges.insert(start, byteCount: 50) }
    #expect(ranges.range(containing: 99) == nil)
    #expect(ranges.range(containing: 100) == 100..<150)
    #expect(ranges.range(containing: 149) == 100..<150)
    #expect(ranges.range(containing: 150) == nil)
    #expect(ranges.range(containing: 549) == 500..<550)
    ranges.remove(300)
    ranges.remove(301)
    #expect(ranges.range(containing: 310) == nil)
    #expect(ranges.range(containing: 120) == 100..<150)
  }

  @Test func hostRowsAreCopiedAndDeviceRowsStay() {
    var ranges = AddressRanges()
    ranges.insert(0x1000_0000, byteCount: 1 << 20)
    let hidden = 4
    let floats: [Float] = (0..<12).map { Float($0) }
    unsafe floats.withUnsafeBytes { memory in
      let host = UInt(bitPattern: memory.baseAddress)
      let rows = [
        NGramRow(address: 0x1000_0100, type: .bfloat16), .zero,
        NGramRow(address: host, type: .float32), NGramRow(address: host, type: .float32),
        NGramRow(address: host, type: .float32),
      ]
      var part = NGramStaging(rows[...], hidden: hidden, resident: ranges, capacity: 100)
      #expect(part.addresses.count == 4 && part.byteCount == 96)
      var target = [UInt8](repeating: 0, count: 96)
      unsafe target.withUnsafeMutableBytes { unsafe part.stage(into: $0, at: 0x2000_0000) }
      #expect(part.addresses == [0x1000_0100 | 2 << 56, 0, 0x2000_0000, 0x2000_0030])
      unsafe target.withUnsafeBytes { target in
        #expect(unsafe target.load(fromByteOffset: 48 + 44, as: Float.self) == 11)
      }
    }
  }

  @Test func tilesCoverTheGapsToo() {
    let groups = [
      RowGroup(rows: 3..<70, adapter: nil), RowGroup(rows: 70..<70, adapter: nil),
      RowGroup(rows: 72..<200, adapter: nil),
    ]
    let tiles = CUDAGroups.tiles(groups)
    #expect(tiles.map(\.row) == [0, 3, 67, 70, 72, 136])
    #expect(tiles.map(\.rows) == [3, 64, 3, 2, 64, 64])
  }

  @Test func attentionTasks() {
    let layout = SequenceLayout(lengths: [64, 1, 130])
    #expect(CUDASequences.tasks(layout) == [0, 64, 0, 65, 130, 0, 65, 130, 64, 65, 130, 128])
    #expect(CUDASequences.windows(layout) == [64, 1])
    #expect(CUDASequences.places(SequenceLayout(lengths: [2, 3])) == [0, 1, 0, 1, 2])
  }

  @Test func shapesShareAlgorithmsInSteps() {
    #expect(
      [1, 8, 9, 127, 128, 129, 1000, 131072].map(Products.step) == [
        8, 8, 16, 128, 128, 144, 1024, 131072,
      ])
    for rows in 1...5000 {
      let step = Products.step(rows)
      #expect(step >= rows && Double(step - rows) <= max(8, Double(rows) / 8))
    }
  }

  @Test func valuesConvert() {
    let values: [Float] = [0, 1, -2.5, 3.14159, 200]
    var bytes = [UInt8](repeating: 0, count: 20)
    for (type, expected) in [
      (ElementType.float32, values), (.bfloat16, [0, 1, -2.5, 3.140625, 200]),
      (.float16, [0, 1, -2.5, 3.140625, 200]), (.int8, [0, 1, -2, 3, 127]),
      (.int32, [0, 1, -2, 3, 200]),
    ] {
      var back = [Float](repeating: .nan, count: 5)
      unsafe values.withUnsafeBufferPointer { values in
        unsafe bytes.withUnsafeMutableBytes { bytes in
          let part = unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[..<(5 * type.byteCount)])
          unsafe Conversion.store(values, as: type, into: part)
          unsafe back.withUnsafeMutableBufferPointer {
            unsafe Conversion.load(UnsafeRawBufferPointer(part), as: type, into: $0)
          }
        }
      }
      #expect(back == expected, "\(type)")
    }
  }
}
