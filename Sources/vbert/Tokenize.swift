import ArgumentParser
import Foundation
import Manager
import Model

/// `vbert tokenize`: how a base reads texts.
struct Tokenize: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show the tokens of texts, as a base reads them.",
    discussion: """
      Prints one JSON object a row with ids, type_ids, and offsets in code points.
        vbert tokenize --base minilm --data in.jsonl --max-length 128
      """)

  @OptionGroup var global: GlobalOptions
  @Option(help: "The base's name.") var base: String
  @Option(help: "JSONL, plain or gzip: rows with text, text and text_pair, or tokens.")
  var data: String
  @Option(help: "Longest row in tokens, [CLS] and [SEP] too; longer ones are cut.")
  var maxLength: Int?

  func validate() throws {
    try InputRow.check(maxLength: maxLength)
  }

  func run() throws {
    let base = try BaseStore(home: Home(option: global.home)).load(base, .text)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
    try InputRow.forEach(in: data) { _, row in
      let encoding = try row.encoding(base, maxLength: maxLength)
      if row.ids != nil { _ = try TokenSequence(encoding, for: base.configuration) }
      var line = try encoder.encode(
        Line(
          ids: encoding.ids, type_ids: encoding.typeIDs,
          offsets: encoding.spans.map { [$0.start, $0.end] },
          word_ids: encoding.words.isEmpty ? nil : encoding.words.map { $0 < 0 ? nil : $0 }))
      line.append(UInt8(ascii: "\n"))
      FileHandle.standardOutput.write(line)
    }
  }

  private struct Line: Encodable {
    var ids: [Int32]
    var type_ids: [Int32]
    var offsets: [[Int32]]
    var word_ids: [Int32?]?
  }
}
