import ArgumentParser
import Foundation
import Manager
import Model

struct ExportCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export", abstract: "Write a vBERT to a new directory, to be imported elsewhere.")

  @OptionGroup var options: GlobalOptions
  @Argument(help: "Its name.", transform: { try VBertName($0) }) var name: VBertName
  @Argument(help: "The directory to make.") var directory: String
  @Option(help: "Which version (default: the one that answers now).") var version: Int?

  func run() async throws {
    let written = try await options.openStore().export(
      vbert: name, version: version, to: URL(filePath: directory))
    if options.json {
      try Output.json(VersionRow(written, current: false))
    } else {
      print("\(name) version \(written.id.number) is in \(directory)")
    }
  }
}
