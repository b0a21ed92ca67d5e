import ArgumentParser
import Foundation

/// `vbert report`: longer studies, written down.
struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report", abstract: "Studies that write tables and pictures.",
    subcommands: [ReportAccuracyCommand.self])
}
