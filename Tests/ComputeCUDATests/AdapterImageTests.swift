import Compute
import TestSupport
import Testing

@testable import ComputeCUDA

/// The layout that kernels/device.h describes, read back by its description.
@Suite struct AdapterImageTests {
  private func matrix(_ outputs: Int, _ inputs: Int, bias: Bool) -> HostMatrix {
    var random = SeededGenerator(seed: UInt64(outputs * 1000 + inputs))
    // Multiples of 1/64 below 2 are exact in bf16.
    func values(_ count: Int) -> [Float] {
      (0..<count).map { _ in Float(Int.random(in: -127...127, using: &random)) / 64 }
    }
    return HostMatrix(
      weight: values(outputs * inputs), bias: bias ? values(outputs) : nil, outputs: outputs,
      inputs: inputs)
  }

  private var adapter: HostAdapter {
    HostAdapter(
      bottlenecks: [
        .init(
          layer: 1, site: .ffn, down: matrix(20, 96, bias: true), up: matrix(96, 20, bias: true)),
        .init(
          layer: 0, site: .attention, down: matrix(200, 96, bias: true),
          up: matrix(96, 200, bias: false)),
      ],
      lowRanks: [
        .init(
          layer: 1, target: .down, a: matrix(3, 384, bias: false), b: matrix(96, 3, bias: false),
          scale: 0.5)
      ], head: matrix(5, 96, bias: true))
  }

  /// Memory as the device would see it: pages at scattered addresses.
  private struct Pages {
    let bytes: [UInt8]
    let addresses: [UInt]

    init(_ adapter: HostAdapter) throws {
      let image = try AdapterImage(adapter)
      let addresses = (0..<image.pageCount).map {
        UInt(0x7000_0000 + (image.pageCount - $0) * 0x10000)
      }
      var bytes = [UInt8](repeating: 0, count: image.byteCount)
      unsafe bytes.withUnsafeMutableBytes {
        unsafe image.write(into: $0)
        unsafe image.writeDirectory(addresses, into: $0)
      }
      (self.bytes, self.addresses) = (bytes, addresses)
    }

    func word(_ offset: Int) -> UInt32 {
      (0..<4).reduce(0) { $0 | UInt32(bytes[offset + $1]) << (8 * $1) }
    }
    func float(fragment: UInt32, _ i: Int) -> Float {
      Float(bitPattern: word(Int(fragment) * 512 + 4 * i))
    }
    /// Operand i of lane `lane`.
    func half(fragment: UInt32, lane: Int, _ i: Int) -> Float {
      let offset = Int(fragment) * 512 + 16 * lane + 2 * i
      return Float(bitPattern: UInt32(bytes[offset]) << 16 | UInt32(bytes[offset + 1]) << 24)
    }
    func entry(_ slot: Int) -> AdapterImage.Entry {
      let at = 16 + 16 * slot
      return .init(size: word(at), first: word(at + 4), second: word(at + 8), extra: word(at + 12))
    }
    /// W[row, column] of a matrix with `columns` columns.
    func weight(_ first: UInt32, _ columns: Int, _ row: Int, _ column: Int) -> Float {
      let block = row / 16 * ((columns + 15) / 16) + column / 16
      let (n, k) = (row % 16, column % 16)
      let lane = n % 8 * 4 + k % 8 / 2
      return half(fragment: first + UInt32(block), lane: lane, n / 8 * 4 + k / 8 * 2 + k % 2)
    }
  }

  private func expectSame(_ pages: Pages, _ first: UInt32, _ matrix: HostMatrix, _ name: String) {
    var wrong = 0
    for row in 0..<matrix.outputs {
      for column in 0..<matrix.inputs
      where pages.weight(first, matrix.inputs, row, column)
        != matrix.weight[row * matrix.inputs + column]
      { wrong += 1 }
    }
    #expect(wrong == 0, "\(name)")
  }

  @Test func everyNumberIsWhereTheKernelsLook() throws {
    let adapter = adapter
    let pages = try Pages(adapter)
    #expect(pages.word(0) == 2 && pages.word(4) == UInt32(pages.addresses.count))
    for part in adapter.bottlenecks {
      let entry = pages.entry(AdapterImage.slot(layer: part.layer, site: part.site))
      #expect(entry.size == UInt32(part.down.outputs))
      expectSame(pages, entry.first, part.down, "down")
      expectSame(pages, entry.second, part.up, "up")
      for (i, value) in (part.down.bias ?? []).enumerated() {
        #expect(pages.float(fragment: entry.extra, i) == value)
      }
      let up = entry.extra + UInt32((part.down.outputs + 127) / 128)
      for i in 0..<part.up.outputs {
        #expect(pages.float(fragment: up, i) == part.up.bias?[i] ?? 0)
      }
    }
    let lora = adapter.lowRanks[0]
    let entry = pages.entry(AdapterImage.slot(layer: 1, target: .down))
    #expect(entry.size == 3 && Float(bitPattern: entry.extra) == 0.5)
    expectSame(pages, entry.first, lora.a, "A")
    expectSame(pages, entry.second, lora.b, "B")
    #expect(pages.entry(AdapterImage.slot(layer: 0, target: .query)) == .init())
    let head = pages.entry(0)
    let matrix = try #require(adapter.head)
    #expect(head.size == 5)
    for label in 0..<5 {
      for i in 0..<96 {
        #expect(
          pages.float(fragment: head.first + UInt32(label), i) == matrix.weight[label * 96 + i])
      }
      #expect(pages.float(fragment: head.extra, label) == matrix.bias?[label])
    }
  }

  @Test func thePageTableFollowsTheDirectory() throws {
    let pages = try Pages(adapter)
    let table = 16 + 16 * (1 + 8 * 2)
    for (i, address) in pages.addresses.enumerated() {
      #expect(UInt(pages.word(table + 8 * i)) == address)
      #expect(pages.word(table + 8 * i + 4) == 0)
    }
    // Nothing begins inside the directory.
    let directory = UInt32((table + 8 * pages.addresses.count + 511) / 512)
    for slot in 0..<17 where pages.entry(slot).size > 0 {
      #expect(pages.entry(slot).first >= directory)
    }
  }

  @Test func shapesThatTheKernelsDoNotTakeAreRefused() {
    let odd = HostAdapter(bottlenecks: [
      .init(layer: 0, site: .ffn, down: matrix(4, 24, bias: true), up: matrix(24, 4, bias: true))
    ])
    #expect(throws: ComputeError.self) { _ = try AdapterImage(odd) }
    #expect(throws: Never.self) { _ = try AdapterImage(HostAdapter()) }
  }
}
