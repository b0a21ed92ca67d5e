import Compute
import ComputeCUDA
import Testing

/// Every kernel through the real compiler; no GPU is needed, only NVRTC.
@Suite("Kernels compile", .enabled(if: NVRTC.compiler != nil, NVRTC.missing))
struct KernelTests {
  @Test(arguments: [80, 90, 100]) func everyKernel(architecture: Int) throws {
    let compiler = try #require(NVRTC.compiler)
    guard compiler.architectures.contains(architecture) else {
      #expect(architecture > 90, "NVRTC \(compiler.version) does not know sm_\(architecture)")
      return
    }
    for source in KernelCatalogue.sources(architecture: architecture) {
      #expect(try compiler.compile(source).starts(with: [0x7F, 0x45, 0x4C, 0x46]), "\(source)")
    }
  }

  @Test func whatIsWrongIsInTheError() throws {
    let compiler = try #require(NVRTC.compiler)
    let source = KernelCompiler.Source(
      file: "rows.cu", defines: ["HIDDEN=nonsense"], architecture: 80)
    let error = #expect(throws: ComputeError.self) { _ = try compiler.compile(source) }
    #expect("\(error as Any)".contains("nonsense"))
  }
}

enum NVRTC {
  static let compiler = KernelCompiler(CUDALibraries.find())
  static let missing: Comment =
    "no NVRTC here: pip install nvidia-cuda-nvrtc into the active environment"
}
