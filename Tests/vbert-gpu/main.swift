import Compute
import ComputeCPU
import ComputeCUDA
import Foundation
import GPUBench

/// The GPU's own small program: what `Sources/ComputeCUDA` finds, whether it agrees with the CPU
/// backend, and how fast it is. One static binary, so it runs where there is no Swift.
let usage = """
  usage: vbert-gpu devices
         vbert-gpu compile ARCHITECTURE...      every kernel through NVRTC, no GPU needed: 80 90
         vbert-gpu check [GOLDEN-DIRECTORY] [--only PART,PART...]
                                                against the CPU backend, and the goldens if given;
                                                parts: training, attention, models...
         vbert-gpu check-cpu ...                the same checks, the CPU in the GPU's place
         vbert-gpu bench [--short] [--lengths FILE] [--batches N,N...] [SECTION...]
                                                as vbert bench gpu
  libraries are found by themselves; VBERT_CUDA_LIBRARIES=DIR[:DIR...] comes first
  """

let arguments = Array(CommandLine.arguments.dropFirst())
let directories = (ProcessInfo.processInfo.environment["VBERT_CUDA_LIBRARIES"] ?? "")
  .split(separator: ":").map(String.init)

func run() throws -> Int32 {
  switch arguments.first {
  case "devices":
    let libraries = CUDALibraries.find(directories: directories)
    print(libraries.report)
    guard libraries.report.isComplete else { return 1 }
    print(try CUDABackend(device: CUDADevice(libraries)).name)
    return 0
  case "compile": return try compileAll(arguments.dropFirst().compactMap(Int.init))
  case "check":
    return try check(CUDABackend(device: try start()))
  case "check-cpu": return try check(CPUBackend(threads: 1))
  case "bench":
    var options = GPUBench.Options()
    options.isShort = arguments.contains("--short")
    if let place = arguments.firstIndex(of: "--lengths"), place + 1 < arguments.count {
      options.lengths = try String(contentsOfFile: arguments[place + 1], encoding: .utf8)
        .split(separator: "\n").compactMap { Int($0) }
    }
    if let place = arguments.firstIndex(of: "--batches"), place + 1 < arguments.count {
      options.batches = arguments[place + 1].split(separator: ",").compactMap { Int($0) }
    }
    options.sections = Set(arguments.compactMap(GPUBench.Section.init(rawValue:)))
    try GPUBench(try start(), options: options, show: { print($0) }).run()
    return 0
  default:
    print(usage)
    return 2
  }
}

func check(_ backend: any Backend) throws -> Int32 {
  var (rest, only): (ArraySlice<String>, Set<String>) = (arguments.dropFirst(), [])
  if let place = rest.firstIndex(of: "--only") {
    only = Set(rest[place...].dropFirst().first?.split(separator: ",").map(String.init) ?? [])
    rest = rest[..<place]
  }
  return try Checks(backend).run(goldens: rest.first, only: only)
}

func start() throws -> CUDADevice {
  var options = CUDADevice.Options()
  options.adapterFraction = 0.83
  return try CUDADevice(CUDALibraries.find(directories: directories), options: options)
}

do { exit(try run()) } catch {
  FileHandle.standardError.write(Data("vbert-gpu: \(error)\n".utf8))
  exit(1)
}
