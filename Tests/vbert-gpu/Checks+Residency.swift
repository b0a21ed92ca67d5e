import Compute
import ComputeCUDA
import GPUBench

extension Checks {
  /// What comes to the device when it is needed, beside what was there all along: the same bits.
  func residency() throws {
    guard let lane = gpu as? CUDABackend else { return }
    try rowsOnDemand(lane)
    try adaptersOnDemand(lane)
  }

  private func rowsOnDemand(_ lane: CUDABackend) throws {
    for type in [ElementType.float32, .float16, .int8] {
      let (hidden, grams) = (96, 400)
      let bytes = NGramRow.byteCount(hidden: hidden, type: type)
      let r = Runner(lane, seed: 6)
      let memory = UnsafeMutableRawBufferPointer.allocate(
        byteCount: grams * bytes, alignment: 16)
      defer { unsafe memory.deallocate() }
      // Finite in every format: small bytes, and scales of a few thousandths for int8.
      for i in 0..<grams * bytes { unsafe memory[i] = UInt8(r.whole(below: 60)) }
      if type == .int8 {
        for i in 0..<grams * 3 {
          unsafe memory.storeBytes(
            of: Float(1 + i % 7) / 1000, toByteOffset: i / 3 * bytes + i % 3 * 4, as: Float.self)
        }
      }
      func row(_ key: UInt64) -> NGramRow {
        key == 0
          ? .zero
          : NGramRow(
            address: UInt(bitPattern: memory.baseAddress) + UInt(Int(key - 1) * bytes),
            type: type)
      }
      let cache = try CUDARowCache(
        device: lane.device, byteCount: 64 * (bytes + 28), hidden: hidden, type: type)
      var live: [CachedRows] = []
      var wrong = 0
      for _ in 0..<40 {
        let layout = SequenceLayout(lengths: (0..<6).map { _ in 1 + r.whole(below: 9) })
        let keys = (0..<layout.rows).map { _ in
          UInt64(r.whole(below: grams + 1) * r.whole(below: grams + 1) / (grams + 1))
        }
        let found = try cache.rows(for: keys) { places in places.map { row(keys[$0]) } }
        live.append(found)
        if live.count > 3 { live.removeFirst() }
        // The oldest live batch is merged after younger ones were admitted.
        let sequences = try lane.place(layout)
        func merged(_ rows: [NGramRow]) throws -> [Float] {
          let out = try r.poisoned(rows: layout.rows, columns: hidden)
          try lane.mergeNGrams(rows, sequences: sequences, into: out)
          return try r.read(out)
        }
        if try merged(found.rows) != merged(keys.map(row)) { wrong += 1 }
      }
      report(
        "row cache \(type): \(cache.copied) of \(cache.asked) rows copied, \(cache.capacity) kept",
        error: cache.copied < cache.asked ? Double(wrong) : 1, tolerance: 0)
    }
  }

  private func adaptersOnDemand(_ lane: CUDABackend) throws {
    let (hidden, r) = (384, Runner(lane, seed: 8))
    let sources = (0..<12).map { i in
      HostAdapter(bottlenecks: [
        .init(
          layer: 1, site: .ffn, down: r.matrix(16 + 16 * (i % 4), hidden),
          up: r.matrix(hidden, 16 + 16 * (i % 4)))
      ])
    }
    let resident = try sources.map { try lane.load($0) }
    for overlap in [true, false] {
      let stream = AdapterStream(
        lane: overlap ? try CUDABackend(device: lane.device) : lane,
        byteCount: 4 * resident.map(\.byteCount).reduce(0, max))
      let kept = try sources.map { try stream.keep($0) }
      let values = r.noise(4 * 20 * hidden)
      var wrong = 0
      for _ in 0..<60 {
        let chosen = (0..<4).map { _ in r.whole(below: sources.count) }
        func applied(_ adapters: [any ResidentAdapter]) throws -> [Float] {
          let x = try r.state(values, columns: hidden)
          let groups = try lane.place(
            adapters.enumerated().map { RowGroup(rows: $0 * 20..<$0 * 20 + 20, adapter: $1) })
          try lane.applyBottlenecks(x, groups: groups, layer: 1, site: .ffn)
          return try r.read(x)
        }
        let streamed = try applied(stream.bring(chosen.map { kept[$0] }))
        if try streamed != applied(chosen.map { resident[$0] }) { wrong += 1 }
      }
      report(
        "adapters on demand, overlap \(overlap): \(stream.copiedBytes >> 10) KiB copied",
        error: Double(wrong), tolerance: 0)
    }
  }
}
