/// The three libraries of NVIDIA that the CUDA backend needs, all opened at run time.
package enum LibraryKind: String, Sendable, Hashable, CaseIterable {
  case driver, compiler, products

  /// File names, newest first, as the loader knows them.
  var fileNames: [String] {
    switch self {
    case .driver: ["libcuda.so.1", "libcuda.so"]
    case .compiler: ["libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so"]
    case .products: ["libcublasLt.so.13", "libcublasLt.so.12", "libcublasLt.so"]
    }
  }

  /// Directories inside a Python environment's site-packages where NVIDIA's wheels put it.
  var wheelDirectories: [String] {
    switch self {
    case .driver: []
    case .compiler: ["nvidia/cu13/lib", "nvidia/cuda_nvrtc/lib"]
    case .products: ["nvidia/cu13/lib", "nvidia/cublas/lib"]
    }
  }

  /// A function of it, to ask the loader which file it came from.
  var symbol: String {
    switch self {
    case .driver: "cuInit"
    case .compiler: "nvrtcVersion"
    case .products: "cublasLtGetVersion"
    }
  }

  /// What a person does who lacks it.
  package var remedy: String {
    switch self {
    case .driver: "install NVIDIA's driver for this machine's GPU"
    case .compiler:
      "install the CUDA toolkit, or: pip install nvidia-cuda-nvrtc (nvidia-cuda-nvrtc-cu12 for 12)"
    case .products: "install the CUDA toolkit, or: pip install nvidia-cublas (nvidia-cublas-cu12)"
    }
  }
}
