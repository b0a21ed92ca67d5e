import ArgumentParser

/// What every verb takes.
struct GlobalOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Where everything is kept (default: VBERT_HOME, else ~/.vbert).", valueName: "dir"))
  var home: String?

  @Option(
    help: ArgumentHelp(
      "Do it on this running server instead, where the verb can.", valueName: "http://host:port"))
  var server: String?

  @Option(help: "A key for that server (default: VBERT_KEY, which no list of processes shows).")
  var key: String?

  @Flag(help: "Print machine-readable JSON on stdout; progress and logs go to stderr.")
  var json = false

  func validate() throws {
    guard server != nil || key == nil else {
      throw ValidationError("--key goes with --server")
    }
    guard home != "" else {
      throw ValidationError("--home is empty; give a directory, or leave it out")
    }
  }
}
