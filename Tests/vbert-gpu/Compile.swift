import Compute
import ComputeCUDA

/// Compiles every kernel for the architectures given, and keeps the code where a GPU's program looks for
/// it; 1 if one fails or there is no NVRTC.
func compileAll(_ architectures: [Int]) throws -> Int32 {
  let libraries = CUDALibraries.find(directories: directories)
  guard let compiler = KernelCompiler(libraries) else {
    print(libraries.report)
    return 1
  }
  for architecture in architectures.isEmpty ? [80, 90] : architectures {
    var bytes = 0
    let sources = KernelCatalogue.sources(architecture: architecture)
    for source in sources { bytes += try compiler.code(of: source).count }
    print(
      "sm_\(architecture): \(sources.count) compilations, \(bytes) bytes, NVRTC \(compiler.version)"
    )
  }
  return 0
}
