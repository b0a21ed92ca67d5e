import Compute
import ComputeCPU
import ComputeCUDA
import Foundation
import GPUBench

/// Every operation on the GPU beside the CPU backend, on the same numbers.
final class Checks {
  let gpu: any Backend
  let cpu: CPUBackend
  private var failures = 0
  private var count = 0
  /// When the check before this one was done.
  private var last = ContinuousClock.now

  init(_ gpu: any Backend) throws {
    self.gpu = gpu
    cpu = try CPUBackend()
  }

  /// bf16 has 8 bits: one rounding of every value costs about 0.0017.
  static let oneRounding = 0.004

  /// What there is, by name, in the order in which it runs.
  private var parts: [(name: String, run: () throws -> Void)] {
    [
      ("training", training), ("many", many), ("rows", rowOperations), ("products", products),
      ("alone", productsAlone), ("attention", { try self.attention(self.gpu, "") }),
      ("biases", biasGradients),
      ("kernels", otherKernels), ("groups", groups), ("fused", fused), ("residency", residency),
      ("ends", ends), ("models", sameAlone),
    ]
  }

  /// `only`: names of parts; empty: all.
  func run(goldens: String?, only: Set<String>) throws -> Int32 {
    let start = ContinuousClock.now
    print("\(gpu.name) against \(cpu.name)")
    let unknown = only.subtracting(parts.map(\.name))
    guard unknown.isEmpty else {
      print("no part is named \(unknown.sorted()); there are \(parts.map(\.name))")
      return 2
    }
    for part in parts where only.isEmpty || only.contains(part.name) { try part.run() }
    if let goldens { try runGoldens(goldens) }
    print(
      "\(count - failures) of \(count) checks passed in "
        + String(format: "%.0f s", (ContinuousClock.now - start) / .seconds(1)))
    return failures == 0 ? 0 : 1
  }

  private func runGoldens(_ directory: String) throws {
    guard gpu is CUDABackend else {
      return try GoldenChecks(self, gpu, title: "golden", directory: directory).run()
    }
    for gelu in [CUDADevice.GELU.fused, .exact] {
      var options = CUDADevice.Options()
      options.gelu = gelu
      let device = try CUDADevice(CUDALibraries.find(directories: directories), options: options)
      try GoldenChecks(
        self, CUDABackend(device: device), title: "golden, GELU \(gelu)", directory: directory
      ).run()
    }
  }

  /// Runs `body` on both backends and compares what it returns.
  func compare(
    _ name: String, tolerance: Double = oneRounding, seed: UInt64 = 1,
    on other: (any Backend)? = nil, _ body: (Runner) throws -> [Float]
  ) {
    do {
      let expected = try body(Runner(cpu, seed: seed))
      let gpu = other ?? gpu
      let found = try body(Runner(gpu, seed: seed))
      report(name, error: relativeError(found, expected), tolerance: tolerance)
      let again = try body(Runner(gpu, seed: seed))
      if !areIdentical(again, found) {
        report("\(name), run again", error: relativeError(again, found), tolerance: 0)
      }
    } catch { fail(name, "\(error)") }
  }

  func report(_ name: String, error: Double, tolerance: Double) {
    count += 1
    let good = error <= tolerance
    if !good { failures += 1 }
    let seconds = (ContinuousClock.now - last) / .seconds(1)
    last = .now
    print(
      "\(good ? "ok  " : "FAIL") \(name): \(String(format: "%.2e", error))"
        + (seconds > 0.5 ? String(format: " (%.1f s)", seconds) : ""))
    fflush(nil)
  }

  func fail(_ name: String, _ why: String) {
    count += 1
    failures += 1
    print("FAIL \(name): \(why)")
  }

  private func rowOperations() throws {
    for hidden in [32, 384, 768, 1024] {
      compare("embed \(hidden)") { r in
        let tables = EmbeddingTables(
          word: try r.floats(r.noise(50 * hidden), columns: hidden),
          position: try r.floats(r.noise(64 * hidden), columns: hidden),
          tokenType: try r.floats(r.noise(2 * hidden), columns: hidden))
        let out = try r.poisoned(rows: 77, columns: hidden)
        func ids(_ limit: Int) throws -> Indices {
          try Indices((0..<77).map { _ in Int32(r.whole(below: limit)) }, below: limit)
        }
        try r.backend.embed(
          ids: try ids(50), positions: try ids(64), types: try ids(2), tables: tables,
          norm: r.norm(hidden),
          into: out)
        return try r.read(out)
      }
      compare("addPositions \(hidden)") { r in
        let layout = SequenceLayout(lengths: [3, 1, 60, 7])
        let tables = EmbeddingTables(
          word: nil, position: try r.floats(r.noise(64 * hidden), columns: hidden),
          tokenType: try r.floats(r.noise(2 * hidden), columns: hidden))
        let x = try r.state(r.noise(71 * hidden), columns: hidden)
        try r.backend.addPositions(
          to: x, types: try Indices((0..<71).map { $0 % 2 }, below: 2),
          sequences: r.backend.place(layout),
          tables: tables, norm: r.norm(hidden))
        return try r.read(x)
      }
      compare("addNorm \(hidden)") { r in
        let a = try r.state(r.noise(101 * hidden, scale: 3), columns: hidden)
        let b = try r.state(r.noise(101 * hidden), columns: hidden)
        let out = try r.poisoned(rows: 101, columns: hidden)
        let norm = try r.norm(hidden)
        try r.backend.addNorm(a, residual: b, norm: norm, into: out)
        try r.backend.addNorm(a, residual: b, norm: norm, into: a)
        try r.backend.addNorm(out, residual: b, norm: norm, into: b)
        return try r.read(out) + r.read(a) + r.read(b)
      }
      compare("applyGate \(hidden)") { r in
        let x = try r.state(r.noise(33 * hidden), columns: hidden)
        try r.backend.applyGate(
          x, gate: r.floats(r.noise(hidden, scale: 0.1), columns: hidden), bias: 0.25)
        return try r.read(x)
      }
      compare("mergeNGrams \(hidden)") { r in try mergedRows(r, hidden: hidden) }
    }
    compare("applyGELU") { r in
      let x = try r.state(r.noise(40 * 64, scale: 5), columns: 64)
      try r.backend.applyGELU(x.columns(8..<48))
      return try r.read(x)
    }
  }

  /// Rows of every format in host memory, and none.
  private func mergedRows(_ r: Runner, hidden: Int) throws -> [Float] {
    let layout = SequenceLayout(lengths: [1, 2, 3, 70, 1, 33, 1])
    let bytes = NGramRow.byteCount(hidden: hidden, type: .float32)
    let memory = UnsafeMutableRawBufferPointer.allocate(
      byteCount: layout.rows * bytes, alignment: 16)
    defer { unsafe memory.deallocate() }
    var rows: [NGramRow] = []
    for i in 0..<layout.rows {
      let values = r.noise(3 * hidden)
      guard let start = unsafe memory.baseAddress.map({ unsafe $0 + i * bytes }) else { continue }
      let types: [ElementType] = [.float32, .float16, .int8]
      let type = types[i % 3]
      for (k, value) in values.enumerated() {
        switch type {
        case .float16:
          unsafe start.storeBytes(of: Float16(value), toByteOffset: 2 * k, as: Float16.self)
        case .int8:
          unsafe start.storeBytes(
            of: 0.01 * Float(1 + k / hidden), toByteOffset: 4 * (k / hidden), as: Float.self)
          unsafe start.storeBytes(of: Int8(value * 127), toByteOffset: 12 + k, as: Int8.self)
        default: unsafe start.storeBytes(of: value, toByteOffset: 4 * k, as: Float.self)
        }
      }
      rows.append(i % 7 == 6 ? .zero : NGramRow(address: UInt(bitPattern: start), type: type))
    }
    let out = try r.poisoned(rows: layout.rows, columns: hidden)
    try r.backend.mergeNGrams(rows, sequences: r.backend.place(layout), into: out)
    return try r.read(out)
  }

  private func products() throws {
    let shapes = [
      (96, 32), (2304, 768), (768, 768), (3072, 768), (768, 3072), (1536, 384), (384, 1536),
    ]
    for (outputs, inputs) in shapes {
      for rows in [1, 7, 128, 1000] {
        for activation in [Activation.none, .gelu] {
          compare("matmul \(rows) x \(outputs) x \(inputs) \(activation)") { r in
            let x = try r.state(r.noise(rows * inputs), columns: inputs)
            let matrix = try r.backend.prepare(r.matrix(outputs, inputs))
            let out = try r.poisoned(rows: rows, columns: outputs)
            try r.backend.matmul(x, matrix, activation: activation, into: out)
            return try r.read(out)
          }
        }
      }
    }
  }

  /// A row's product must not depend on how many rows are computed beside it.
  private func productsAlone() throws {
    for (outputs, inputs) in [
      (2304, 768), (768, 768), (3072, 768), (768, 3072), (1536, 384), (384, 1536),
    ] {
      let r = Runner(gpu, seed: 4)
      let matrix = try gpu.prepare(r.matrix(outputs, inputs))
      let x = try r.state(r.noise(8192 * inputs), columns: inputs)
      let all = try r.poisoned(rows: 8192, columns: outputs)
      let part = try r.poisoned(rows: 8192, columns: outputs)
      for activation in [Activation.none, .gelu] {
        try gpu.matmul(x, matrix, activation: activation, into: all)
        let together = try r.read(all)
        var line = ""
        for rows in [1, 2, 3, 8, 16, 35, 64, 128, 256, 512, 1000, 2048, 4096] {
          try gpu.matmul(
            x.rows(0..<rows), matrix, activation: activation, into: part.rows(0..<rows))
          let alone = try r.read(part.rows(0..<rows))
          if !areIdentical(alone, Array(together.prefix(alone.count))) { line += " \(rows)" }
        }
        report(
          "product \(outputs) x \(inputs) \(activation) alone beside 8192 rows\(line)",
          error: line.isEmpty ? 0 : 1, tolerance: 0)
      }
    }
  }

  /// What this GPU would not choose by itself.
  private func otherKernels() throws {
    guard let lane = gpu as? CUDABackend, lane.warpgroups > 0 else { return }
    for (warpgroups, name) in [(0, "portable"), (1, "one warpgroup")] {
      let other = try CUDABackend(device: lane.device)
      other.warpgroups = warpgroups
      try attention(other, "\(name): ")
    }
  }

  private func attention(_ gpu: any Backend, _ title: String) throws {
    let batches = [
      [1], [3, 1, 2, 3, 3, 4, 5, 1], [40, 17, 64, 5, 128], [63, 65, 127, 129], [2, 512, 9],
      [Int](repeating: 128, count: 8),
    ]
    for lengths in batches {
      for (heads, size) in [(12, 64), (12, 32), (4, 8)] {
        compare("\(title)attention with biases \(lengths.prefix(5)), heads of \(size)", on: gpu) {
          r in
          let layout = SequenceLayout(lengths: lengths)
          let (hidden, span) = (heads * size, 2 * (layout.longest + 2) - 1)
          let bias = try r.floats(r.noise(heads * span, scale: 6), columns: span)
          let qkv = try r.state(r.noise(layout.rows * 3 * hidden, scale: 2), columns: 3 * hidden)
          let out = try r.poisoned(rows: layout.rows, columns: hidden)
          try r.backend.attention(
            qkv, sequences: r.backend.place(layout), heads: heads, bias: bias, into: out)
          return try r.read(out)
        }
        compare("\(title)attention \(lengths.prefix(5)), heads of \(size)", on: gpu) { r in
          let layout = SequenceLayout(lengths: lengths)
          let hidden = heads * size
          let qkv = try r.state(r.noise(layout.rows * 3 * hidden, scale: 2), columns: 3 * hidden)
          let out = try r.poisoned(rows: layout.rows, columns: hidden)
          try r.backend.attention(
            qkv, sequences: r.backend.place(layout), heads: heads, into: out)
          return try r.read(out)
        }
      }
    }
  }
}
