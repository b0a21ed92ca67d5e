internal import Foundation
internal import HTTPTypes
internal import Manager
internal import Model
internal import Scheduler

/// One sequence as a client gives it.
enum SequenceInput {
  case text(String)
  case pair(String, String)
  case words([String])

  var isEmpty: Bool {
    switch self {
    case .text(let text): text.isEmpty
    case .pair(let a, let b): a.isEmpty && b.isEmpty
    case .words: false
    }
  }
}

/// Replies, and what they are replies to.
struct Answer {
  let vbert: PinnedVBert
  let encodings: [Encoding]
  let replies: [Reply]
  let tokenization: Duration
  let begin: ContinuousClock.Instant

  var tokens: Int { replies.reduce(0) { $0 + $1.tokens } }
}

extension Dispatcher {
  /// The vBERT of this name that the caller may see, in its present version. Throws `APIError`:
  /// never another vBERT, never the base.
  func find(_ name: String?, _ call: Call) throws -> PinnedVBert {
    guard let name else {
      throw APIError.invalid("say which vBERT is to answer", param: "model")
    }
    guard let record = try registry.find(name, tenant: call.tenant.id) else {
      throw APIError.unknownModel(String(name.prefix(128)))
    }
    guard let version = record.version else { throw APIError.untrained(name) }
    return PinnedVBert(id: version, name: record.name, spec: record.spec)
  }

  /// The same, for a route that asks vBERTs of these tasks only.
  func find(_ name: String?, _ call: Call, tasks: [Task], hint: String) throws -> PinnedVBert {
    let vbert = try find(name, call)
    guard tasks.contains(vbert.spec.task) else {
      throw APIError.wrongTask("\(vbert.name) is a vBERT for \(vbert.spec.task.rawValue): \(hint)")
    }
    return vbert
  }

  /// The vBERT's base. Throws `ServingError.vbert`.
  func engine(of vbert: PinnedVBert) throws(ServingError) -> Engine {
    do { return try engines.engine(for: vbert.spec) } catch {
      throw .vbert(name: vbert.name, why: "\(error)")
    }
  }

  /// Tokenises, queues, waits. Throws `APIError` and `ServingError`.
  func ask(
    _ vbert: PinnedVBert, _ inputs: [SequenceInput], truncate: Bool?, _ call: Call
  ) async throws -> Answer {
    guard !inputs.isEmpty, !inputs.contains(where: \.isEmpty) else { throw APIError.empty }
    guard inputs.count <= limits.batch else {
      throw APIError.batchTooLarge(count: inputs.count, most: limits.batch)
    }
    let begin = ContinuousClock.now
    let tokenizer = try engine(of: vbert).tokenizer
    var encodings: [Encoding] = []
    var requests: [Scheduler.Request] = []
    encodings.reserveCapacity(inputs.count)
    requests.reserveCapacity(inputs.count)
    for (index, input) in inputs.enumerated() {
      if _Concurrency.Task.isCancelled { throw ServingError.cancelled }
      let encoding = tokenizer.encode(input, maxLength: vbert.spec.maxLength)
      if encoding.isTruncated, !(truncate ?? limits.autoTruncate) {
        throw APIError.tooLong(
          tokens: tokenizer.encode(input, maxLength: nil).count, most: vbert.spec.maxLength,
          index: index)
      }
      encodings.append(encoding)
      requests.append(
        Scheduler.Request(
          vbert: vbert, ids: encoding.ids, types: encoding.typeIDs,
          words: encoding.firstTokens(of: input)))
    }
    let tokenization = ContinuousClock.now - begin
    let replies = try await pipeline.intake.replies(
      to: requests,
      Arrival(
        tenant: call.tenant.id, weight: call.tenant.processor.weight,
        deadline: call.begin + .seconds(limits.seconds)))
    return Answer(
      vbert: vbert, encodings: encodings, replies: replies, tokenization: tokenization,
      begin: call.begin)
  }
}

extension WordPiece {
  func encode(_ input: SequenceInput, maxLength: Int?) -> Encoding {
    switch input {
    case .text(let text): encode(text, maxLength: maxLength)
    case .pair(let first, let second): encode(first, pair: second, maxLength: maxLength)
    case .words(let words): encode(words: words, maxLength: maxLength)
    }
  }
}

extension Encoding {
  /// For each word the place of its first token; nil for one that has none.
  func firstTokens(of input: SequenceInput) -> [Int?] {
    guard case .words(let list) = input else { return [] }
    var places = [Int?](repeating: nil, count: list.count)
    for (place, word) in words.enumerated().reversed() where word >= 0 {
      places[Int(word)] = place
    }
    return places
  }
}

extension Answer {
  /// What Text Embeddings Inference reports, times in ms (the largest of the sequences'), and the
  /// share of n-grams that the table had.
  var headers: HTTPFields {
    var plot = PLOTStatistics()
    for reply in replies { plot += reply.plot }
    func longest(_ part: KeyPath<Timing, Duration>) -> Duration {
      replies.map { $0.timing[keyPath: part] }.max() ?? .zero
    }
    var fields = HTTPFields()
    fields.reserveCapacity(11)
    fields.set(AnswerField.computeType, "cpu")
    fields.set(AnswerField.computeTokens, String(tokens))
    fields.set(AnswerField.totalTime, (ContinuousClock.now - begin).milliseconds)
    fields.set(AnswerField.tokenizationTime, tokenization.milliseconds)
    fields.set(AnswerField.queueTime, longest(\.queue).milliseconds)
    fields.set(AnswerField.lookupTime, longest(\.lookup).milliseconds)
    fields.set(AnswerField.inferenceTime, longest(\.compute).milliseconds)
    fields.set(AnswerField.hitRate, ((plot.hitRate * 10_000).rounded() / 10_000).description)
    fields.set(AnswerField.version, String(vbert.id.number))
    return fields
  }
}

/// Made once: every construction checks the name's characters.
private enum AnswerField {
  static let computeType = HTTPField.Name("x-compute-type")
  static let computeTokens = HTTPField.Name("x-compute-tokens")
  static let totalTime = HTTPField.Name("x-total-time")
  static let tokenizationTime = HTTPField.Name("x-tokenization-time")
  static let queueTime = HTTPField.Name("x-queue-time")
  static let lookupTime = HTTPField.Name("x-lookup-time")
  static let inferenceTime = HTTPField.Name("x-inference-time")
  static let hitRate = HTTPField.Name("x-plot-hit-rate")
  static let version = HTTPField.Name("x-vbert-version")
}

extension HTTPFields {
  fileprivate mutating func set(_ name: HTTPField.Name?, _ value: String) {
    if let name { append(HTTPField(name: name, value: value)) }
  }
}

extension Duration {
  /// Whole milliseconds and three decimals.
  fileprivate var milliseconds: String {
    let parts = components
    let microseconds =
      parts.seconds * 1_000_000 + (parts.attoseconds + 500_000_000_000) / 1_000_000_000_000
    let rest = String(abs(microseconds % 1000))
    return "\(microseconds / 1000).\(String(repeating: "0", count: 3 - rest.utf8.count))\(rest)"
  }
}
