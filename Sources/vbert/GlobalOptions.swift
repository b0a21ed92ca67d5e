import ArgumentParser

/// What every verb takes.
struct GlobalOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Where everything is kept (default: VBERT_HOME, else ~/.vbert).", valueName: "dir"))
  var home: String?

  @Flag(help: "Print machine-readable JSON on stdout; progress and logs go to stderr.")
  var json = false

  func validate() throws {
    guard home != "" else {
      throw ValidationError("--home is empty; give a directory, or leave it out")
    }
  }
}
