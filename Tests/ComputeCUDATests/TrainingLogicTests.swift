import CCUDA
import Compute
import Foundation
import TestSupport
import Testing

@testable import ComputeCUDA

/// How rows are added up by target: the plan carried out on the host.
@Suite struct ScatterPlanTests {
  @Test(arguments: [
    (1, 1, 1), (500, 1, 7), (1000, 3, 2000), (9000, 1, 1), (70_000, 1, 2), (64, 2, 3),
  ])
  func everyRowIsAddedOnce(_ rows: Int, _ terms: Int, _ tableRows: Int) {
    var random = SeededGenerator(seed: 3)
    let indices = (0..<rows * terms).map { _ in
      Int32.random(in: -1..<Int32(tableRows), using: &random)
    }
    let values = (0..<rows).map { _ in Double(Int.random(in: -9...9, using: &random)) }
    let plan = ScatterPlan(indices, terms: terms, tableRows: tableRows)
    var table = [Double](repeating: 0, count: tableRows)
    var written = [Int](repeating: 0, count: tableRows)
    var partials = [Double?](repeating: nil, count: plan.partials)
    for (level, range) in plan.levels.enumerated() {
      // What a level reads, levels before it wrote: all at once would do.
      let known = partials
      for chunk in plan.chunks[range] {
        #expect(chunk.count > 0 && chunk.count <= 64)
        var sum = 0.0
        for entry in chunk.first..<chunk.first + chunk.count {
          sum += level == 0 ? values[Int(plan.list[Int(entry)])] : known[Int(entry)] ?? .nan
        }
        if chunk.target < 0 {
          #expect(partials[-1 - Int(chunk.target)] == nil)
          partials[-1 - Int(chunk.target)] = sum
        } else {
          table[Int(chunk.target)] += sum
          written[Int(chunk.target)] += 1
        }
      }
    }
    var expected = [Double](repeating: 0, count: tableRows)
    for (place, index) in indices.enumerated() where index >= 0 {
      expected[Int(index)] += values[place / terms]
    }
    #expect(table == expected)
    #expect(written.allSatisfy { $0 <= 1 })
  }

  @Test func nothingToAddIsNoLaunch() {
    #expect(ScatterPlan([-1, -1], terms: 1, tableRows: 4).levels.isEmpty)
    #expect(ScatterPlan([], terms: 1, tableRows: 4).levels.isEmpty)
  }
}

extension BackendLogicTests {
  @Test func aParameterSetIsConvertedWhenAProductFollowsAChange() throws {
    let backend = try CUDABackend(
      device: CUDADevice(
        FakeDriver.libraries(), options: CUDADevice.Options(), cache: KernelCache(directory: nil)))
    let parameters = try backend.allocate(byteCount: 4 * 4096)
    let weight = parameters.tensor(rows: 16, columns: 32)
    let bias = parameters.tensor(rows: 1, columns: 16, offset: 4096)
    let states = try backend.allocate(byteCount: 1 << 14)
    let x = states.tensor(rows: 8, columns: 32, type: .bfloat16)
    let out = states.tensor(rows: 8, columns: 16, type: .bfloat16, offset: 4096)
    func launches() -> [String] { unsafe FakeDriver.record.launches.map(\.name) }
    func forward() throws {
      try backend.linear(x, weight: weight, bias: bias, scale: 1, adding: false, into: out)
    }
    try forward()
    try forward()
    #expect(launches() == ["convert"])
    let products = unsafe FakeDriver.record.products
    let state = AdamWState(value: weight, gradient: weight, mean: weight, square: weight)
    try backend.adamW(
      state,
      step: AdamWStep(
        number: 1, rate: 0, beta1: 0, beta2: 0, epsilon: 1, decay: 0, gradientScale: 1))
    try backend.linearInputGradient(out, weight: weight, scale: 1, adding: false, into: x)
    #expect(launches() == ["convert", "adamW", "convert"])
    unsafe #expect(FakeDriver.record.products > products)
    // Three outputs are no multiple of eight: fp32 weights, a kernel of our own.
    let head = parameters.tensor(rows: 3, columns: 32)
    let logits = states.tensor(rows: 8, columns: 3, offset: 8192)
    try backend.linear(x, weight: head, bias: nil, scale: 1, adding: false, into: logits)
    #expect(launches().last == "product")
  }

  @Test func aSetThatEndsTakesItsCopyAlong() throws {
    let backend = try CUDABackend(
      device: CUDADevice(
        FakeDriver.libraries(), options: CUDADevice.Options(), cache: KernelCache(directory: nil)))
    let states = try backend.allocate(byteCount: 1 << 14)
    let x = states.tensor(rows: 8, columns: 32, type: .bfloat16)
    let out = states.tensor(rows: 8, columns: 16, type: .bfloat16, offset: 4096)
    let live = unsafe FakeDriver.record.live.count
    do {
      let parameters = try backend.allocate(byteCount: 4 * 4096)
      try backend.linear(
        x, weight: parameters.tensor(rows: 16, columns: 32), bias: nil, scale: 1, adding: false,
        into: out)
      unsafe #expect(FakeDriver.record.live.count == live + 2)
    }
    unsafe #expect(FakeDriver.record.live.count == live)
  }

  @Test func shortSequencesHaveAKernelOfTheirOwn() throws {
    let backend = try CUDABackend(
      device: CUDADevice(
        FakeDriver.libraries(), options: CUDADevice.Options(), cache: KernelCache(directory: nil)))
    let states = try backend.allocate(byteCount: 1 << 16)
    let qkv = states.tensor(rows: 11, columns: 96, type: .bfloat16)
    let out = states.tensor(rows: 11, columns: 32, type: .bfloat16, offset: 8192)
    let mixed = try backend.place(SequenceLayout(lengths: [3, 5, 1, 2]))
    try backend.attention(qkv, sequences: mixed, heads: 4, into: out)
    try backend.attentionBackward(out, qkv: qkv, sequences: mixed, heads: 4, into: qkv)
    let windows = try backend.place(SequenceLayout(lengths: [3, 3, 3, 2]))
    try backend.attention(qkv, sequences: windows, heads: 4, into: out)
    unsafe #expect(
      FakeDriver.record.launches.filter { $0.grid[0] > 0 }.map(\.name) == [
        "attention", "windowAttention", "queryGradients", "keyGradients", "windowAttentionBackward",
        "windowAttention",
      ])
  }
}

/// Many vBERTs' operations are as many launches as one vBERT's.
extension BackendLogicTests {
  @Test(arguments: [(1, 1), (64, 64), (65, 3), (130, 200)])
  func tilesCoverAResultOnce(rows: Int, columns: Int) {
    let tensor = Tensor(address: 64, rows: rows, columns: columns)
    let product = ManyProduct(a: tensor, b: tensor, c: tensor, inner: 8)
    var places: [ManyProduct.Place] = []
    product.addPlaces(number: 5, to: &places)
    var covered = [Int](repeating: 0, count: rows * columns)
    for place in places {
      #expect(place.item == 5)
      for row in Int(place.row)..<min(rows, Int(place.row) + 64) {
        for column in Int(place.column)..<min(columns, Int(place.column) + 64) {
          covered[row * columns + column] += 1
        }
      }
    }
    #expect(covered.allSatisfy { $0 == 1 })
  }

  @Test func manyMapsAreOneLaunch() throws {
    let backend = try CUDABackend(
      device: CUDADevice(
        FakeDriver.libraries(), options: CUDADevice.Options(), cache: KernelCache(directory: nil)))
    let memory = try backend.allocate(byteCount: 1 << 20)
    let items = (0..<3).map { i in
      LinearItem(
        x: memory.tensor(rows: 70 * (i + 1), columns: 32, type: .bfloat16),
        weight: memory.tensor(rows: 16, columns: 32, offset: 1 << 16),
        bias: memory.tensor(rows: 1, columns: 16, offset: 1 << 17),
        y: memory.tensor(rows: 70 * (i + 1), columns: 16, type: .bfloat16, offset: 1 << 18))
    }
    try backend.linear(items, scale: 1, adding: false)
    try backend.linearParameterGradient(items, scale: 1)
    try backend.linearInputGradient(items, scale: 1, adding: true)
    let launches = unsafe FakeDriver.record.launches
    #expect(launches.map(\.name) == ["forward", "parameterGradient", "inputGradient"])
    // Two, three and four stripes of rows; one tile for each weight; as many stripes again.
    #expect(launches.map { $0.grid[0] } == [9, 3, 9])
    // One alone goes the way of one alone.
    try backend.linear([items[0]], scale: 1, adding: false)
    unsafe #expect(FakeDriver.record.launches.count == 4)
    unsafe #expect(FakeDriver.record.launches[3].name == "convert")
  }

  @Test func manyStepsAreThreeLaunches() throws {
    let backend = try CUDABackend(
      device: CUDADevice(
        FakeDriver.libraries(), options: CUDADevice.Options(), cache: KernelCache(directory: nil)))
    let memory = try backend.allocate(byteCount: 1 << 20)
    var scales: [Float] = []
    unsafe FakeDriver.record.kernels["adamW"] = { arguments in
      // Rates by step number, as the kernel finds them: rate is a step's first number of ten.
      guard let steps = unsafe UnsafePointer<Float>(bitPattern: UInt(arguments[2])) else { return }
      scales = (0..<3).map { unsafe steps[10 * $0] }
    }
    let items = (0..<3).map { i in
      let value = memory.tensor(rows: 1, columns: 4096 * (i + 1))
      let state = AdamWState(value: value, gradient: value, mean: value, square: value)
      return AdamWItem(
        [AdamWPart(state, decay: 0), AdamWPart(state, decay: 0.1, rate: 10)],
        gradients: memory.tensor(rows: 1, columns: 40_000),
        step: AdamWStep(
          number: 1, rate: Float(i + 1), beta1: 0.9, beta2: 0.99, epsilon: 1, decay: 0,
          gradientScale: 1), clipNorm: 1, norm: memory.tensor(rows: 1, columns: 1))
    }
    try backend.adamW(items)
    let launches = unsafe FakeDriver.record.launches
    #expect(launches.map(\.name) == ["gradientSquares", "clips", "adamW"])
    #expect(launches.map { $0.grid[0] } == [9, 3, 24])
    #expect(scales == [1, 2, 3])
  }
}
