internal import CSIMD
package import Compute
internal import Foundation

/// Which of the CPU kernels run: found at start, not at build, so one binary suits every machine.
package enum InstructionSet: String, Sendable, CaseIterable {
  case portable, avx2, avx512
  /// AVX-512 with products of bytes; the same as `avx512` in all else.
  case avx512vnni
  /// AVX-512 VNNI with products of bfloat16 numbers; the same as `avx512vnni` in all else.
  case avx512bf16

  var code: Int32 {
    switch self {
    case .portable: Int32(CSIMD_PORTABLE)
    case .avx2: Int32(CSIMD_AVX2)
    case .avx512: Int32(CSIMD_AVX512)
    case .avx512vnni: Int32(CSIMD_AVX512_VNNI)
    case .avx512bf16: Int32(CSIMD_AVX512_BF16)
    }
  }

  /// Whether this processor runs it.
  package var isSupported: Bool { csimd_supported(code) }

  /// Whether it multiplies bfloat16 numbers twice as fast as fp32.
  package var hasBFloat16: Bool { self == .avx512bf16 }

  /// Those that this processor runs, slowest first.
  package static var supported: [InstructionSet] { allCases.filter(\.isSupported) }

  /// The fastest that this processor runs.
  package static var best: InstructionSet { supported.last ?? .portable }

  /// `VBERT_CPU` = portable | avx2 | avx512 | avx512vnni | avx512bf16 where set, else the best.
  /// Throws `unsupported` for an unknown name, or for a set that this processor lacks.
  package static func chosen(
    environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws(ComputeError) -> InstructionSet {
    guard let name = environment["VBERT_CPU"], !name.isEmpty else { return best }
    guard let set = InstructionSet(rawValue: name) else {
      throw .unsupported(
        "VBERT_CPU=\(name); use portable, avx2, avx512, avx512vnni or avx512bf16, or leave it unset"
      )
    }
    guard set.isSupported else {
      throw .unsupported("VBERT_CPU=\(name): this processor lacks it; leave VBERT_CPU unset")
    }
    return set
  }
}
