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
    help: "Its name: A-Z a-z 0-9 . _ -, unique among its tenant's; or TENANT/NAME.",
    transform: { try VBertName($0) })
  var name: VBertName
  @Option(help: "What it answers.") var task: VBertTask
  @Option(help: "The base that it shares (default: the only one).")
  var base: String?
  @Option(help: "Whose it is (default: default).", transform: { try Name($0) }) var tenant: Name?
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
      How token states become one: mean or cls (default: for embed what the base's own folder says, else mean, \
      which few rows are learnt from at norm 1).
      """), transform: chosenPooling)
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

  func validate() throws {
    _ = try name.owned(by: tenant)
    if pooling != nil, task == .tag { throw ValidationError("\(NewVBertError.pooledTagger)") }
  }

  func run() async throws {
    let registry = try options.openRegistry()
    let (spec, chosen, reason) = try await NewVBert(
      task: task, base: base, domain: domain, adapter: adapter, pooling: pooling,
      labels: labels?.names ?? [], maxLength: maxLength
    ).spec(BaseChoice(home: Home(option: options.home), registry))
    let made = try await registry.create(vbert: name.owned(by: tenant), spec: spec)
    if options.json {
      try Output.json(VBertRow(made))
    } else {
      print(
        "\(made.name): \(task.rawValue) on base \(chosen.name) (\(reason.rawValue)), adapter \(spec.adapter)"
      )
      let lacksTable = domain.map { !chosen.hasTable(of: $0) } ?? false
      if let domain, lacksTable {
        print(
          "first build its domain's table with: vbert plot build --base \(chosen.name) --domain \(domain) "
            + "--corpus FILE")
      }
      print(
        made.version == nil
          ? "train it with: vbert train \(made.name) --data train.jsonl"
          : lacksTable ? "then it answers" : "it answers from now on")
    }
  }
}

extension VBertName {
  /// With what --tenant says. Throws `ValidationError` where the name itself says another.
  func owned(by other: Name?) throws -> VBertName {
    guard let other else { return self }
    guard tenant == .default || tenant == other else {
      throw ValidationError("\(full) is not --tenant \(other)'s: say whose it is once")
    }
    return VBertName(name, of: other)
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

/// Throws for what only training makes.
private func chosenPooling(_ text: String) throws -> Pooling {
  let pooling = try Pooling(parsing: text)
  guard pooling != .normalizedMean else {
    throw ValidationError(
      "\(text) is what training on few rows makes of mean, where it helps; create with mean")
  }
  return pooling
}
