import Compute
import Foundation
import Testing

@testable import ComputeCUDA

/// What the backend does around the GPU, on tables that only remember what was asked of them.
@Suite(.serialized) struct BackendLogicTests {
  func backend(_ change: (inout CUDADevice.Options) -> Void = { _ in }) throws
    -> CUDABackend
  {
    var options = CUDADevice.Options()
    options.stagingBytes = 1 << 16
    change(&options)
    return try CUDABackend(
      device: CUDADevice(
        FakeDriver.libraries(), options: options, cache: KernelCache(directory: nil)))
  }

  private func write(_ values: [Float], _ tensor: Tensor, _ backend: CUDABackend) throws {
    unsafe try values.withUnsafeBufferPointer { unsafe try backend.upload($0, to: tensor) }
  }

  @Test func valuesLargerThanTheStagingRingTravel() throws {
    let backend = try backend()
    let values = (0..<100_000).map { Float($0 % 251) }
    let buffer = try backend.allocate(byteCount: 4 * values.count)
    for type in [ElementType.float32, .bfloat16] {
      let tensor = buffer.tensor(rows: 100, columns: 1000, type: type)
      try write(values, tensor, backend)
      var back = [Float](repeating: .nan, count: values.count)
      unsafe try back.withUnsafeMutableBufferPointer {
        unsafe try backend.download(tensor, into: $0)
      }
      #expect(back == values)
    }
  }

  @Test func memoryThatIsNotThereNamesTheFlag() throws {
    let backend = try backend()
    #expect(throws: ComputeError.outOfMemory(requestedBytes: 1 << 40, flag: "--token-budget")) {
      _ = try backend.allocate(byteCount: 1 << 40)
    }
    let small = try self.backend { $0.adapterBytes = PagePool.pageBytes }
    let adapter = HostAdapter(
      head: HostMatrix(
        weight: [Float](repeating: 1, count: 100 * 768), bias: nil, outputs: 100, inputs: 768))
    #expect(throws: ComputeError.self) { _ = try small.load(adapter) }
    #expect(small.device.pages.counts.free == small.device.pages.counts.pages)
  }

  @Test func nothingLeaks() throws {
    do {
      let backend = try backend()
      let adapter = try backend.load(
        HostAdapter(
          head: HostMatrix(
            weight: [Float](repeating: 1, count: 64), bias: [0, 0], outputs: 2, inputs: 32)))
      _ = try backend.place([RowGroup(rows: 0..<5, adapter: adapter)])
      _ = try backend.place(SequenceLayout(lengths: [3, 2]))
      _ = try backend.prepare(
        HostMatrix(
          weight: [Float](repeating: 1, count: 64), bias: nil, outputs: 8, inputs: 8))
      unsafe #expect(!FakeDriver.record.live.isEmpty)
    }
    unsafe #expect(FakeDriver.record.live.isEmpty)
  }

  @Test func anAdapterOutlivesTheBatchThatReadsIt() throws {
    let backend = try backend()
    let head = HostMatrix(
      weight: [Float](repeating: 1, count: 64), bias: [0, 0], outputs: 2, inputs: 32)
    var adapter: (any ResidentAdapter)? = try backend.load(HostAdapter(head: head))
    let free = backend.device.pages.counts.free
    _ = try backend.place([RowGroup(rows: 0..<5, adapter: adapter)])
    adapter = nil
    #expect(backend.device.pages.counts.free == free)
    try backend.finish()
    #expect(backend.device.pages.counts.free == free + 1)
  }

  @Test func kernelsAreCompiledOncePerShape() throws {
    let backend = try backend()
    let buffer = try backend.allocate(byteCount: 1 << 16)
    let x = buffer.tensor(rows: 20, columns: 64, type: .bfloat16)
    let norm = Normalization(
      gamma: buffer.tensor(rows: 1, columns: 64), beta: buffer.tensor(rows: 1, columns: 64),
      epsilon: 0)
    for _ in 0..<3 { try backend.addNorm(x, residual: x, norm: norm, into: x) }
    try backend.addNorm(
      x.columns(0..<32), residual: x.columns(0..<32), norm: norm, into: x.columns(0..<32))
    unsafe #expect(FakeDriver.record.modules == 2)
    unsafe #expect(
      FakeDriver.record.launches.map(\.name) == ["addNorm", "addNorm", "addNorm", "addNorm"])
    unsafe #expect(FakeDriver.record.launches[0].grid == [3, 1, 1])
    try backend.addNorm(x.rows(0..<0), residual: x, norm: norm, into: x)
    unsafe #expect(FakeDriver.record.launches.count == 4)
  }

  @Test func theRowsBehindTheLastGroupAreNormalisedToo() throws {
    let backend = try backend()
    let matrix = HostMatrix(
      weight: [Float](repeating: 1, count: 64), bias: [0, 0], outputs: 2, inputs: 32)
    let adapter = try backend.load(
      HostAdapter(bottlenecks: [
        .init(
          layer: 1, site: .ffn, down: matrix,
          up: HostMatrix(weight: matrix.weight, bias: nil, outputs: 32, inputs: 2))
      ]))
    let groups = try backend.place([RowGroup(rows: 2..<70, adapter: adapter)])
    let buffer = try backend.allocate(byteCount: 1 << 16)
    let x = buffer.tensor(rows: 100, columns: 32, type: .bfloat16)
    let norm = Normalization(gamma: x, beta: x, epsilon: 0)
    for (layer, site) in [(1, AdapterSite.ffn), (1, .attention), (9, .ffn)] {
      try backend.addNorm(
        x, residual: x, norm: norm, groups: groups, layer: layer, site: site, into: x)
    }
    let launches = unsafe FakeDriver.record.launches
    #expect(launches.map(\.name) == ["addNormBottleneck", "addNorm", "addNorm", "addNorm"])
    // Three tiles (a gap of two rows, 64 rows, 4 rows), each in four blocks of 16 rows.
    #expect(launches[0].grid == [3, 4, 1])
    #expect(launches[1].arguments[0] == UInt64(x.rows(70..<71).address))
    #expect(launches[1].grid == [4, 1, 1] && launches[2].grid == [13, 1, 1])
  }

  @Test func aProductIsTimedOnceAndItsRefusersAreSkipped() throws {
    let backend = try backend()
    let matrix = try backend.prepare(
      HostMatrix(weight: [Float](repeating: 1, count: 64), bias: nil, outputs: 8, inputs: 8))
    let buffer = try backend.allocate(byteCount: 4096)
    let x = buffer.tensor(rows: 16, columns: 8, type: .bfloat16)
    let out = buffer.tensor(rows: 16, columns: 8, type: .bfloat16, offset: 1024)
    try backend.matmul(x, matrix, activation: .none, into: out)
    // The refused one once; the other once, three times under the clock, and for good.
    unsafe #expect(FakeDriver.record.products == 6)
    try backend.matmul(x, matrix, activation: .none, into: out)
    unsafe #expect(FakeDriver.record.products == 7)
  }

  @Test func manyRowsInHostMemoryPassThroughASmallRing() throws {
    let backend = try backend()
    let hidden = 64
    let layout = SequenceLayout(lengths: [100, 100])
    let values = [Float](repeating: 1, count: 3 * hidden)
    let sequences = try backend.place(layout)
    let out = try backend.allocate(byteCount: 200 * hidden * 2)
    unsafe try values.withUnsafeBytes { memory in
      let row = NGramRow(address: UInt(bitPattern: memory.baseAddress), type: .float32)
      try backend.mergeNGrams(
        [NGramRow](repeating: row, count: 200), sequences: sequences,
        into: out.tensor(rows: 200, columns: hidden, type: .bfloat16))
    }
    // 42 rows of 768 bytes fit in half of 64 KiB; neighbours travel twice.
    let grids = unsafe FakeDriver.record.launches.filter { $0.name == "mergeNGrams" }.map(\.grid[0])
    #expect(grids.count == 5 && grids[0] == 6)
  }

  @Test func theGPUsAreListed() {
    let gpus = FakeDriver.libraries().gpus
    #expect(
      gpus == [GPUDescription(ordinal: 0, name: "F", architecture: 90, memoryBytes: 1 << 30)])
    #expect(CUDALibraries(report: LibraryReport(findings: [])).gpus.isEmpty)
  }

  @Test func aGPUThatIsNotThereIsRefused() {
    var options = CUDADevice.Options()
    options.ordinal = 3
    #expect(throws: ComputeError.self) {
      _ = try CUDADevice(
        FakeDriver.libraries(), options: options, cache: KernelCache(directory: nil))
    }
  }

  @Test func machineCodeIsKeptByWhatItWasMadeOf() throws {
    let directory = FileManager.default.temporaryDirectory.appending(
      path: "kernels-\(UInt64.random(in: 0...UInt64.max))"
    ).path()
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let cache = KernelCache(directory: directory)
    var source = KernelCompiler.Source(file: "rows.cu", defines: ["HIDDEN=32"], architecture: 90)
    let code: [UInt8] = [0x7F, 0x45, 0x4C, 0x46, 1, 2, 3]
    var compiled = 0
    func get(_ version: String) throws -> [UInt8] {
      try cache.code(for: source, version: version) { () throws(ComputeError) in
        compiled += 1
        return code
      }
    }
    #expect(try get("13.0") == code)
    #expect(try get("13.0") == code)
    #expect(compiled == 1)
    _ = try get("13.1")
    source.defines = ["HIDDEN=64"]
    _ = try get("13.0")
    source.architecture = 100
    _ = try get("13.0")
    #expect(compiled == 4)
    let files = try FileManager.default.contentsOfDirectory(atPath: directory)
    #expect(files.count == 4)
    // Damaged code is compiled anew, and kept sound.
    for (place, file) in files.sorted().enumerated() {
      let path = "\(directory)/\(file)"
      var bytes = try #require(FileManager.default.contents(atPath: path))
      bytes[place < 3 ? 4 + place : bytes.count - 1] ^= 1
      try bytes.write(to: URL(filePath: path))
    }
    #expect(try get("13.0") == code && get("13.0") == code)
    #expect(compiled == 5)
  }
}
