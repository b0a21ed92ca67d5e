import ArgumentParser

/// `vbert bench`: our side of the comparisons under Benchmarks/.
struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure this machine; Benchmarks/README.md has the comparisons with others.",
    subcommands: [BenchEncoder.self, BenchGPU.self, BenchRegister.self, BenchTrain.self])
}
