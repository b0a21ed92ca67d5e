import ArgumentParser
import Foundation
import Manager
import Model

/// `vbert bench register`: many vBERTs at once, to measure a server that has them.
struct BenchRegister: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "register",
    abstract: "Register copies of an exported vBERT as <prefix>0, <prefix>1...")

  @OptionGroup var global: GlobalOptions
  @Argument(help: "A directory that vbert export wrote.") var directory: String
  @Option(help: "How many.") var copies = 10_000
  @Option(help: "What their names begin with.") var prefix = "copy-"

  func run() async throws {
    let store = try global.openStore()
    let bases = BaseChoice(home: store.home, store.registry)
    let url = URL(filePath: directory, directoryHint: .isDirectory)
    var progress = ProgressLine()
    defer { progress.end() }
    for number in 0..<copies {
      try await store.importDirectory(
        url, name: try VBertName("\(prefix)\(number)"),
        baseShape: { try bases.base(of: $0).configuration })
      progress.update("registering", done: number + 1, of: copies, unit: "vBERTs")
    }
  }
}
