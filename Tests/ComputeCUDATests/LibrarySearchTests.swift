import Compute
import Testing

@testable import ComputeCUDA

@Suite struct LibrarySearchTests {
  private func search(
    _ files: [String: [String]], environment: [String: String] = [:], directories: [String] = []
  ) -> LibrarySearch {
    LibrarySearch(directories: directories, environment: environment, list: { files[$0] ?? [] })
  }

  @Test func namedDirectoriesComeBeforeTheLoaderAndTheToolkitAfter() {
    let here = search(
      [
        "/mine": ["libnvrtc.so.12"], "/opt/cuda/lib64": ["libnvrtc.so.13", "libother.so"],
        "/usr/local/cuda/lib64": ["libnvrtc.so.13", "libnvrtc.so.12"],
      ], environment: ["CUDA_HOME": "/opt/cuda"], directories: ["/mine"])
    #expect(
      here.candidates(for: .compiler) == [
        "/mine/libnvrtc.so.12", "/opt/cuda/lib64/libnvrtc.so.13", "libnvrtc.so.13",
        "libnvrtc.so.12", "libnvrtc.so", "/usr/local/cuda/lib64/libnvrtc.so.13",
        "/usr/local/cuda/lib64/libnvrtc.so.12",
      ])
  }

  @Test func wheelsOfTheActiveEnvironmentAndOfThePathsPython() {
    let here = search(
      [
        "/env/lib": ["python3.12"],
        "/env/lib/python3.12/site-packages/nvidia/cu13/lib": ["libcublasLt.so.13"],
        "/opt/py/bin": ["python3"], "/opt/py/lib": ["python3.9", "libz.so"],
        "/opt/py/lib/python3.9/site-packages/nvidia/cublas/lib": ["libcublasLt.so.12"],
      ], environment: ["VIRTUAL_ENV": "/env", "PATH": "/bin:/opt/py/bin"])
    #expect(
      here.candidates(for: .products).suffix(2) == [
        "/env/lib/python3.12/site-packages/nvidia/cu13/lib/libcublasLt.so.13",
        "/opt/py/lib/python3.9/site-packages/nvidia/cublas/lib/libcublasLt.so.12",
      ])
    #expect(here.candidates(for: .driver) == ["libcuda.so.1", "libcuda.so"])
  }

  @Test func theReportSaysWhatToDo() {
    let report = LibraryReport(findings: [
      .init(kind: .driver, path: "/lib/libcuda.so.1", version: "13.0"),
      .init(kind: .compiler, problem: "not found"),
    ])
    #expect(!report.isComplete)
    #expect(report.description.contains("driver    13.0  /lib/libcuda.so.1"))
    #expect(report.description.contains("pip install nvidia-cuda-nvrtc"))
  }

  /// Whatever this machine has: no trap, and a device that is refused with the reason.
  @Test func thisMachine() {
    let libraries = CUDALibraries.find(directories: ["/nowhere"])
    #expect(libraries.report.findings.map(\.kind) == LibraryKind.allCases)
    if !libraries.report.isComplete {
      let error = #expect(throws: ComputeError.self) { _ = try CUDADevice(libraries) }
      #expect("\(error as Any)".contains("three libraries"))
    }
  }
}
