import CSIMD
import ComputeCPU
import Testing

/// The general products that training is made of, and GELU's slope.
@Suite struct GemmTests {
  @Test(arguments: BackendUnderTest.all)
  func everyTransposition(_ under: BackendUnderTest) throws {
    let bench = try under.bench()
    guard let context = unsafe csimd_create(Int32(under.threads), Int32(under.code)) else {
      Issue.record("no context")
      return
    }
    defer { unsafe csimd_destroy(context) }
    for (m, n, k) in [(1, 1, 1), (3, 40, 17), (15, 33, 64), (130, 70, 600), (65, 8, 1), (4, 5, 0)] {
      for (ta, tb) in [(false, false), (false, true), (true, false), (true, true)] {
        for beta: Float in [0, 1, 0.5] {
          let a = bench.noise(m * k + 1)
          let b = bench.noise(n * k + 1)
          var c = beta == 0 ? [Float](repeating: .nan, count: m * n) : bench.noise(m * n)
          var expected = beta == 0 ? [Double](repeating: 0, count: m * n) : doubles(c)
          for i in 0..<m {
            for j in 0..<n {
              var sum = 0.0
              for l in 0..<k {
                sum += Double(a[ta ? l * m + i : i * k + l]) * Double(b[tb ? j * k + l : l * n + j])
              }
              expected[i * n + j] = 1.5 * sum + Double(beta) * expected[i * n + j]
            }
          }
          let status = unsafe csimd_gemm(
            context, ta, tb, m, n, k, 1.5, a, ta ? m : k, b, tb ? k : n, beta, &c, n)
          #expect(status == 0)
          let error = difference(c, expected)
          #expect(error < 1e-4, "\(m) x \(n) x \(k), \(ta) \(tb), beta \(beta): \(error)")
        }
      }
    }
  }

  @Test(arguments: BackendUnderTest.all)
  func geluSlope(_ under: BackendUnderTest) throws {
    guard let context = unsafe csimd_create(Int32(under.threads), Int32(under.code)) else {
      Issue.record("no context")
      return
    }
    defer { unsafe csimd_destroy(context) }
    let x = stride(from: Float(-9), through: 9, by: 0.00037).map { $0 } + [40, -40]
    let dy = [Float](repeating: 1.5, count: x.count)
    var dx = [Float](repeating: .nan, count: x.count)
    unsafe csimd_gelu_backward(context, x, dy, x.count, &dx)
    #expect(difference(dx, doubles(x).map { 1.5 * Reference.geluSlope($0) }) < 2e-6)
  }
}

extension BackendUnderTest {
  fileprivate var code: Int {
    switch set {
    case .portable: CSIMD_PORTABLE
    case .avx2: CSIMD_AVX2
    case .avx512: CSIMD_AVX512
    case .avx512vnni: CSIMD_AVX512_VNNI
    case .avx512bf16: CSIMD_AVX512_BF16
    }
  }
}
