import ArgumentParser
import Foundation
import Manager
import Model

/// A limit as it is written: a number, or none.
struct Limit<Value: Sendable>: Sendable {
  let value: Value?

  init(_ text: String, _ read: (String) -> Value?) throws {
    value = text == "none" ? nil : read(text)
    guard text == "none" || value != nil else {
      throw ValidationError("\"\(text)\" is no limit: write a number, or none")
    }
  }
}

struct TenantQuotaCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "quota", abstract: "What a tenant may use at most, and its share of what is left.",
    discussion: """
      Without a flag it says what holds. A limit that is reached is answered with 429, its name, and when to come
      back; vBERTs and bytes with 409.
        vbert tenant quota acme --tokens-per-second 50000 --burst 500000 --requests 64
        vbert tenant quota acme --vberts 100 --bytes 2G --weight 2
        vbert tenant quota acme --requests none
      """)

  @OptionGroup var options: GlobalOptions
  @Argument(help: "The tenant.", transform: { try Name($0) }) var tenant: Name
  @Option(help: "Its share in the fair queue, relative to the others' (0.01 to 100).")
  var weight: Double?
  @Option(help: "Tokens a second on average.", transform: { try Limit($0, Double.init) })
  var tokensPerSecond: Limit<Double>?
  @Option(
    help: "Tokens that may come at once (default: what gathers in 10 seconds).",
    transform: { try Limit($0, Double.init) })
  var burst: Limit<Double>?
  @Option(help: "Requests under way at once.", transform: { try Limit($0) { Int($0) } })
  var requests: Limit<Int>?
  @Option(help: "Sequences that wait or are computed.", transform: { try Limit($0) { Int($0) } })
  var sequences: Limit<Int>?
  @Option(help: "vBERTs.", transform: { try Limit($0) { Int($0) } }) var vberts: Limit<Int>?
  @Option(
    help: "Bytes of all its versions and files: 500M, 2G.",
    transform: { try Limit($0) { ByteSize(argument: $0)?.bytes } })
  var bytes: Limit<Int>?
  @Option(help: "Fine-tunings that run at once.", transform: { try Limit($0) { Int($0) } })
  var trainings: Limit<Int>?

  func run() async throws {
    let registry = try options.openRegistry()
    let present = try await registry.tenant(named: tenant).processor
    var limits = present.limits
    tokensPerSecond.map { limits.tokensPerSecond = $0.value }
    burst.map { limits.burst = $0.value }
    // Without the rate it would say nothing.
    if limits.tokensPerSecond == nil, burst == nil { limits.burst = nil }
    requests.map { limits.requests = $0.value }
    sequences.map { limits.sequences = $0.value }
    vberts.map { limits.vberts = $0.value }
    bytes.map { limits.bytes = $0.value }
    trainings.map { limits.trainings = $0.value }
    let processor = try VirtualProcessor(weight: weight ?? present.weight, limits: limits)
    if processor != present { try await registry.set(processor: processor, of: tenant) }
    if options.json { return try Output.json(Row(tenant, processor)) }
    func say(_ value: Double?) -> String { value.map { $0.formatted() } ?? "none" }
    Output.table(
      ["LIMIT", "OF \(tenant)"],
      [
        ["weight", processor.weight.formatted()],
        ["tokens-per-second", say(limits.tokensPerSecond)], ["burst", say(limits.burst)],
        ["requests", say(limits.requests.map(Double.init))],
        ["sequences", say(limits.sequences.map(Double.init))],
        ["vberts", say(limits.vberts.map(Double.init))],
        ["bytes", limits.bytes.map { ByteSize($0).description } ?? "none"],
        ["trainings", say(limits.trainings.map(Double.init))],
      ])
  }

  private struct Row: Encodable {
    let tenant: String
    let weight: Double
    let quota: VirtualProcessor.Limits

    init(_ tenant: Name, _ processor: VirtualProcessor) {
      (self.tenant, weight, quota) = (tenant.text, processor.weight, processor.limits)
    }
  }
}
