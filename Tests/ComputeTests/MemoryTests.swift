import Compute
import ComputeCPU
import Testing

@Suite struct MemoryTests {
  @Test func valuesConvertBothWays() throws {
    let bench = Bench(try CPUBackend(threads: 1))
    let values: [Float] = [
      0, -0.0, 1, -2.5, 65504, 65520, 1e-8, 5.96e-8, 6.1e-5, 3.14159, -1e30, .infinity, 127.4,
    ]
    func through(_ type: ElementType) throws -> [Float] {
      try bench.read(bench.tensor(values, rows: 1, columns: values.count, type: type))
    }
    #expect(try through(.float32) == values)
    #expect(try through(.float16) == values.map { Float(Float16($0)) })
    #expect(
      try through(.bfloat16)
        == values.map { value in
          guard value.isFinite else { return value }
          let bits = value.bitPattern
          return Float(bitPattern: (bits + 0x7fff + (bits >> 16 & 1)) & 0xffff_0000)
        })
    #expect(
      try through(.int8) == [0, 0, 1, -2, 127, 127, 0, 0, 0, 3, -128, 127, 127])
    #expect(try bench.read(bench.tensor([.nan], rows: 1, columns: 1, type: .float16))[0].isNaN)
    #expect(try bench.read(bench.tensor([.nan], rows: 1, columns: 1, type: .bfloat16))[0].isNaN)
  }

  @Test func everyHalfIsRead() throws {
    let bench = Bench(try CPUBackend(threads: 1))
    let halves = (0...UInt16.max).map { Float16(bitPattern: $0) }
    let values = halves.map(Float.init)
    let back = try bench.read(
      bench.tensor(values, rows: 1, columns: values.count, type: .float16))
    for (a, b) in zip(values, back) where !(a.isNaN && b.isNaN) {
      #expect(a.bitPattern == b.bitPattern)
    }
  }

  @Test func memoryIsAlignedAndRefusalsAreErrors() throws {
    let backend = try CPUBackend(threads: 2)
    for count in [0, 1, 63, 64, 1000, 131_071, 131_072, 800_001, 2 << 20, 5_000_000] {
      let buffer = try backend.allocate(byteCount: count)
      #expect(buffer.address % 64 == 0 && buffer.byteCount == count)
      guard count > 0, let first = unsafe UnsafeMutablePointer<UInt8>(bitPattern: buffer.address)
      else { continue }
      unsafe (first.pointee, first[count - 1]) = (1, 2)
      #expect(unsafe first[count - 1] == 2)
    }
    #expect(throws: ComputeError.self) { _ = try backend.allocate(byteCount: 1 << 60) }
  }

  @Test func theEnvironmentChooses() throws {
    #expect(try InstructionSet.chosen(environment: [:]) == .best)
    #expect(try InstructionSet.chosen(environment: ["VBERT_CPU": "portable"]) == .portable)
    #expect(throws: ComputeError.self) {
      try InstructionSet.chosen(environment: ["VBERT_CPU": "avx1024"])
    }
    #expect(InstructionSet.supported.contains(.portable))
  }
}
