import ArgumentParser
import Foundation

/// What every verb takes.
struct GlobalOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Where everything is kept (default: VBERT_HOME, else ~/.vbert).", valueName: "dir"))
  var home: String?

  @Flag(help: "Print machine-readable JSON on stdout; progress and logs go to stderr.")
  var json = false

  /// --home, else VBERT_HOME, else ~/.vbert.
  var homePath: String {
    if let home { return home }
    let environment = ProcessInfo.processInfo.environment
    if let home = environment["VBERT_HOME"], !home.isEmpty { return home }
    return FileManager.default.homeDirectoryForCurrentUser.appending(path: ".vbert").path
  }
}
