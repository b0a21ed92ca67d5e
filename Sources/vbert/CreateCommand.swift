import ArgumentParser
import Compute
import Foundation
import Manager
import Model

extension VBertTask: ExpressibleByArgument {}

struct CreateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "create",
    abstract:
      "Register a vBERT. It answers once it is trained; embed without an adapter at once.",
    discussion: """
        vbert create reviews --task classify
        vbert create search --task embed
        vbert create faq-search --task embed --adapter \(AdapterSpec.forTrainedEmbedders)
      """)

  @OptionGroup var options: GlobalOptions
  @Argument(
    help: "Its name: A-Z a-z 0-9 . _ -, unique on this server.", transform: { try Name($0) })
  var name: Name
  @Option(help: "What it answers.") var task: VBertTask
  @Option(help: "The base that it shares (default: the only one).")
  var base: String?
  @Option(help: "Whose it is.", transform: { try Name($0) }) var tenant: Name = TenantRecord
    .defaultName
  @Option(help: "The domain whose lookup table it uses.") var domain: String?
  @Option(
    help: ArgumentHelp(
      """
      Its own parameters: bottleneck:64, bottleneck:64@both, lora:8, lora:8@query,value, lora:8@all, none \
      (default: lora:32 on all six maps; for embed none, so that it answers as the base does; one with an \
      adapter learns with vbert train).
      """), transform: { try AdapterSpec(parsing: $0) })
  var adapter: AdapterSpec?
  @Option(
    help: ArgumentHelp(
      """
      How token states become one: mean, mean-normalized (at norm 1) or cls (default: for embed what the base's \
      own folder says, else mean, which few rows are learnt from at norm 1).
      """), transform: { try Pooling(parsing: $0) })
  var pooling: Pooling?
  @Option(
    help: ArgumentHelp(
      """
      Longest input in tokens (default: 128, or what the base takes; for embed what the base's own \
      folder says).
      """))
  var maxLength: Int?
  @Option(
    help: ArgumentHelp(
      "Label names in their order, with commas between, or as a JSON list.",
      discussion:
        "Otherwise training finds them in its data: numbers in their order, others by code point."),
    transform: LabelList.init)
  var labels: LabelList?

  func run() async throws {
    let registry = try options.openRegistry()
    let (chosen, reason) = try await BaseChoice(
      home: Home(option: options.home), registry
    ).choose(base)
    let defaults = chosen.record.defaults
    let spec = VBertSpec(
      task: task, base: chosen.name, baseHash: chosen.record.contentHash, domain: domain,
      adapter: adapter ?? .standard(for: task),
      pooling: pooling ?? defaults.pooling(for: task),
      labels: labels?.names ?? [],
      maxLength: maxLength
        ?? defaults.maxLength(for: task, positions: chosen.configuration.maxPositions))
    try spec.check(base: chosen.configuration)
    if let domain { try chosen.check(domain: domain) }
    let made = try await registry.create(vbert: name, tenant: tenant, spec: spec)
    if options.json {
      try Output.json(try await VBertRow(made, in: registry))
    } else {
      print(
        "\(name): \(task.rawValue) on base \(chosen.name) (\(reason.rawValue)), adapter \(spec.adapter)"
      )
      let lacksTable = domain.map { !chosen.hasTable(of: $0) } ?? false
      if let domain, lacksTable {
        print(
          "first build its domain's table with: vbert plot build --base \(chosen.name) --domain \(domain) "
            + "--corpus FILE")
      }
      print(
        made.version == nil
          ? "train it with: vbert train \(name) --data train.jsonl"
          : lacksTable ? "then it answers" : "it answers from now on")
    }
  }
}

/// --labels: a,b,c, or ["a", "b, c"] where a name has a comma or a space at its edge.
struct LabelList {
  let names: [String]

  init(_ text: String) throws {
    guard text.first == "[" else {
      names = text.split(separator: ",", omittingEmptySubsequences: false).map {
        $0.trimmingCharacters(in: .whitespaces)
      }
      return
    }
    do { names = try decodeJSON([String].self, from: Array(text.utf8)) } catch {
      throw ValidationError("--labels is no JSON list of strings: \(words(error))")
    }
  }
}
