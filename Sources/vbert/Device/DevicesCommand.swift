import ArgumentParser
import ComputeCPU
import ComputeCUDA

/// `vbert devices`: what this machine could compute on, and what is missing.
struct DevicesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "devices",
    abstract: "List what can be computed on, which libraries were found where, what is missing.")

  @OptionGroup var options: GlobalOptions
  @Option(
    help: ArgumentHelp(
      "Look here first for libnvrtc and libcublasLt; may be repeated.", valueName: "dir"))
  var cudaLibraries: [String] = []

  private struct Report: Encodable {
    struct Entry: Encodable {
      /// As --device takes it.
      let device: String
      let name: String
      var memoryBytes: Int?
      var computeCapability: String?
      var usable = true
    }
    struct Library: Encodable {
      let name: String
      var path: String?
      var version: String?
      var problem: String?
      var remedy: String?
    }

    var devices: [Entry]
    var libraries: [Library]
  }

  func run() throws {
    let libraries = CUDALibraries.find(directories: cudaLibraries)
    var report = Report(
      devices: [Report.Entry(device: "cpu", name: try CPUBackend().name)], libraries: [])
    for gpu in libraries.gpus {
      report.devices.append(
        Report.Entry(
          device: "cuda:\(gpu.ordinal)", name: gpu.name, memoryBytes: gpu.memoryBytes,
          computeCapability: "\(gpu.architecture / 10).\(gpu.architecture % 10)",
          usable: libraries.report.isComplete && gpu.isSupported))
    }
    report.libraries = libraries.report.findings.map {
      Report.Library(
        name: $0.kind.rawValue, path: $0.path, version: $0.version, problem: $0.problem,
        remedy: $0.problem == nil ? nil : $0.kind.remedy)
    }
    if options.json { return try Output.json(report) }
    Output.table(
      ["DEVICE", "NAME", "MEMORY", "CAPABILITY", "USABLE"],
      report.devices.map {
        [
          $0.device, $0.name, $0.memoryBytes.map { "\($0 >> 30) GiB" } ?? "",
          $0.computeCapability ?? "", $0.usable ? "yes" : "no",
        ]
      })
    print("\nCUDA's libraries:\n\(libraries.report)")
  }
}
