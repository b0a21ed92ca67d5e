import ArgumentParser
import Foundation
import GPUBench

extension GPUBench.Section: ExpressibleByArgument {}

/// `vbert bench gpu`: how fast the CUDA engine is, on models of random weights.
struct BenchGPU: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "gpu", abstract: "Sequences a second on a GPU, thousands of vBERTs resident.",
    discussion: """
      Weights are random: speed does not depend on them. docs/gpu.md has what was measured, and how \
      to run the peer beside it.
      """)

  @OptionGroup var global: GlobalOptions
  @Option(help: "Which GPU, as vbert devices counts.") var gpu = 0
  @Option(help: ArgumentHelp("Look here first for CUDA's libraries.", valueName: "dir"))
  var cudaLibraries: [String] = []
  @Option(
    parsing: .upToNextOption,
    help: "Parts to run (default: all).") var only: [GPUBench.Section] = []
  @Option(help: "Resident vBERTs of BERT-base's shape.") var vberts = 10_000
  @Option(parsing: .upToNextOption, help: "Sequences a batch.")
  var batches = [1, 32, 256, 1024]
  @Option(help: "File of token lengths, one a line (Benchmarks/lengths.py), for the part lengths.")
  var lengths: String?
  @Option(help: "Most vBERTs resident at once, for the part crowd.") var crowd = 100_000
  @Option(help: "For the part streaming: copy beside computing, on or off (default: both in turn).")
  var overlap: Switch?
  @Flag(help: "A fifth of the batches.") var short = false

  enum Switch: String, ExpressibleByArgument, CaseIterable { case on, off }

  func validate() throws {
    guard 1...1_000_000 ~= vberts else { throw ValidationError("--vberts must be 1 to 1000000") }
    guard 1...1_000_000 ~= crowd else { throw ValidationError("--crowd must be 1 to 1000000") }
    guard batches.allSatisfy({ 1...1024 ~= $0 }) else {
      throw ValidationError("--batches must be 1 to 1024")
    }
  }

  func run() throws {
    var options = GPUBench.Options()
    options.sections = Set(only)
    options.vBERTs = vberts
    options.batches = batches
    options.isShort = short
    options.crowd = crowd
    if let overlap { options.overlap = [overlap == .on] }
    if let lengths { options.lengths = try readLengths(lengths) }
    let bench = try GPUBench(
      Device.gpu(gpu, cudaLibraries, adapterFraction: 0.83), options: options,
      show: { [json = global.json] line in
        if json { FileHandle.standardError.write(Data((line + "\n").utf8)) } else { print(line) }
      })
    try bench.run()
    if global.json { try Output.json(bench.report) }
  }

  private func readLengths(_ path: String) throws -> [Int] {
    let text = try String(contentsOf: URL(filePath: path), encoding: .utf8)
    return try text.split(whereSeparator: \.isNewline).map { line in
      guard let length = Int(line), 1...128 ~= length else {
        throw ValidationError("\(path): \(line) is no length of 1 to 128 tokens")
      }
      return length
    }
  }
}
