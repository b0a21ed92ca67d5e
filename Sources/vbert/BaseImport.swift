import ArgumentParser
import Manager

struct BaseImportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import", abstract: "Take in a Hugging Face BERT.",
    discussion: """
      The model is config.json beside model.safetensors and vocab.txt or tokenizer.json, in a \
      directory, a wheel or a zip archive. Pickles (pytorch_model.bin) are refused.
      """)

  @OptionGroup var options: GlobalOptions
  @Argument(help: ArgumentHelp("Where it is.", valueName: "dir|wheel|zip")) var source: String
  @Option(help: "What to call it.") var name: String

  func run() throws {
    try options.report(try options.openBases().importBase(from: source, name: name))
  }
}

struct BaseSkipCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "skip", abstract: "Make an undistilled skip base from an ordinary one.",
    discussion: """
      Its lower layers run over n-grams alone, so that they can be read from a table. It answers \
      worse than a distilled one (vbert distill), but is there at once.
      """)

  @OptionGroup var options: GlobalOptions
  @Option(help: "The ordinary base.") var base: String
  @Option(name: [.customLong("skip")], help: "How many lower layers are not computed.")
  var depth: Int
  @Option(help: "What to call it (default: BASE-skipK).") var name: String?

  func run() throws {
    try options.report(try options.openBases().makeSkip(base: base, depth: depth, name: name))
  }
}

extension GlobalOptions {
  fileprivate func report(_ record: BaseRecord) throws {
    if json { try Output.json(record) } else { print("\(record.name): \(record.label)") }
  }
}
