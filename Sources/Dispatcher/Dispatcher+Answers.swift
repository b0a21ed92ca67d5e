internal import Foundation
internal import Manager
internal import Model
internal import Scheduler

/// Replies, and what they are replies to.
struct Answer {
  let vbert: PinnedVBert
  let sequences: [EncodedText]
  let replies: [Reply]
  let tokenization: Duration
  let begin: ContinuousClock.Instant

  var tokens: Int { replies.reduce(0) { $0 + $1.tokens } }
}

extension Dispatcher {
  /// The vBERT of this name that the caller may see, trained or not. Throws `APIError.unknownModel`, for the
  /// name of a version too.
  func record(_ text: String, _ caller: Caller) async throws -> VBertRecord {
    let (record, version) = try await address(text, caller)
    guard version == nil else { throw APIError.unknownModel(clipped(text)) }
    return record
  }

  /// The vBERT, and which of its versions the name says. What cannot be a name is nobody's, and so is another
  /// tenant's, but for the operator. Throws `APIError.unknownModel`.
  private func address(
    _ text: String, _ caller: Caller
  ) async throws -> (record: VBertRecord, version: Int?) {
    guard let address = try? VBertAddress(text, of: caller.tenant.name),
      address.name.tenant == caller.tenant.name || caller.isOperator,
      let record = try await registry.find(address.name)
    else { throw APIError.unknownModel(clipped(text)) }
    return (record, address.version)
  }

  /// The vBERT of this name that the caller may see, in its present version or in the one that the name
  /// says, `mood@4`. Throws `APIError`: never another vBERT, never the base.
  func find(_ name: String?, _ caller: Caller) async throws -> PinnedVBert {
    guard let name else {
      throw APIError.invalid(
        "say which vBERT is to answer: here, with ?model=NAME, or with /m/NAME in front of the path",
        param: "model")
    }
    let (record, asked) = try await address(name, caller)
    guard let version = record.version else { throw APIError.untrained(name) }
    guard let number = asked, number != version.number else {
      return PinnedVBert(id: version, name: name, spec: record.spec)
    }
    let id = VersionID(vbert: record.id, number: number)
    guard let found = try await registry.version(id) else {
      throw APIError.unknownModel(clipped(name))
    }
    return PinnedVBert(id: id, name: name, spec: found.spec)
  }

  /// The same, for a route that asks vBERTs of these tasks only. Another is told how it is asked.
  func find(_ name: String?, _ caller: Caller, tasks: [VBertTask]) async throws -> PinnedVBert {
    let vbert = try await find(name, caller)
    guard tasks.contains(vbert.spec.task) else {
      throw APIError.wrongTask(
        "\(vbert.name) is a vBERT for \(vbert.spec.task.rawValue): ask it with \(ways(to: vbert))")
    }
    return vbert
  }

  /// What the vBERT is computed on, pinned with its version. Throws `APIError`, `ServingError`.
  func pin(_ vbert: PinnedVBert, _ caller: Caller) async throws -> BasePin {
    do {
      let base = try await bases.base(for: vbert.spec, by: caller.arrival.deadline)
      let known = try base.pinned(vbert.spec)
      try vbert.spec.checkLength(base: base.configuration)
      // The first request of a domain opens its tables.
      guard let known else {
        return try await workers.run(caller.arrival, bytes: Self.piece) { _ in
          try base.pin(vbert.spec)
        }
      }
      return known
    } catch let error as ServingError { throw error } catch {
      throw APIError(error, of: vbert)
    }
  }

  /// Tokenises, queues, waits. `places` says which tokens of a sequence with words are asked about; `pinned`
  /// is what the vBERT is computed on, where that was found before. Throws `APIError` and `ServingError`.
  func ask(
    _ vbert: PinnedVBert, _ inputs: [TextInput], _ reading: Reading, _ caller: Caller,
    on pinned: BasePin? = nil, places: (EncodedText) -> [Int?] = \.firstTokens
  ) async throws -> Answer {
    guard !inputs.isEmpty else { throw APIError.empty }
    if let index = inputs.firstIndex(where: \.isEmpty) { throw APIError.emptyText(index: index) }
    try checkCount(inputs.count)
    let pin = if let pinned { pinned } else { try await pin(vbert, caller) }
    let base = pin.base
    let model = base.configuration
    if !model.readsPairs, inputs.contains(where: \.isPair) {
      throw APIError.invalid("\(BaseError.noPairs(name: base.name))", param: "inputs")
    }
    if let learnt = vbert.spec.input, inputs.contains(where: { $0.isPair != (learnt == .pair) }) {
      throw APIError.otherInput(vbert.name, learnt: learnt)
    }
    let begin = ContinuousClock.now
    let sequences = try await encode(
      inputs,
      TextEncoder(
        base.tokenizer, maxLength: try length(reading, inputs, vbert, base.tokenizer),
        cut: reading.truncate ?? limits.autoTruncate, side: reading.side,
        addsSpecialTokens: reading.addsSpecialTokens, mostWords: limits.tagWords), caller)
    let requests = try sequences.enumerated().map { index, sequence in
      guard sequence.encoding.count > 0 else { throw APIError.noTokens(index: index) }
      return Scheduler.Request(
        vbert: vbert, on: pin, tokens: try TokenSequence(sequence.encoding, for: model),
        words: places(sequence))
    }
    let tokenization = ContinuousClock.now - begin
    let isBackground = caller.arrival.isBackground
    try quotas.enter(
      caller.tenant, sequences: requests.count, tokens: requests.reduce(0) { $0 + $1.length },
      isBackground: isBackground)
    defer {
      quotas.leave(caller.tenant, sequences: requests.count, isBackground: isBackground)
    }
    let replies = try await pipeline.intake.replies(to: requests, caller.arrival)
    caller.meter.add(tokens: replies.reduce(0) { $0 + $1.tokens })
    return Answer(
      vbert: vbert, sequences: sequences, replies: replies, tokenization: tokenization,
      begin: caller.begin)
  }

  /// Throws `APIError.invalid`.
  private func length(
    _ reading: Reading, _ inputs: [TextInput], _ vbert: PinnedVBert, _ tokenizer: WordPiece
  ) throws(APIError) -> Int {
    let added =
      reading.addsSpecialTokens
      ? tokenizer.special.count(isPair: inputs.contains(where: \.isPair)) : 0
    return try reading.maxLength(most: vbert.spec.maxLength, added: added)
  }

  /// Throws `APIError.batchTooLarge`.
  func checkCount(_ count: Int) throws {
    guard count <= limits.batch else {
      throw APIError.batchTooLarge(count: count, most: limits.batch)
    }
  }

  /// In pieces of some 64 KB where there is much of it: between two of them others have their turn. Throws
  /// `APIError.tooManyTokens`: a long query beside many short texts is a small body and much to keep.
  private func encode(
    _ inputs: [TextInput], _ encoder: TextEncoder, _ caller: Caller
  ) async throws -> [EncodedText] {
    var (encoder, done) = (encoder, [EncodedText]())
    done.reserveCapacity(inputs.count)
    var room = limits.tokens
    while done.count < inputs.count {
      let (begun, from) = (encoder, done.count)
      let piece = try await work(caller, bytes: caller.isLarge ? Self.piece : 0) { check in
        var (encoder, sequences, bytes) = (begun, [EncodedText](), 0)
        while from + sequences.count < inputs.count, bytes < Self.piece {
          let input = inputs[from + sequences.count]
          try check()
          do { sequences.append(try encoder.encode(input) { try check() }) } catch let problem
            as TextProblem
          {
            throw APIError(problem, index: from + sequences.count)
          }
          bytes += input.ownBytes
        }
        return (encoder, sequences)
      }
      encoder = piece.0
      done += piece.1
      room -= piece.1.reduce(0) { $0 + $1.encoding.count }
      guard room >= 0 else { throw APIError.tooManyTokens(most: limits.tokens) }
    }
    return done
  }

  private static var piece: Int { 1 << 16 }

  /// Does a piece of a request's work: at once where the request is small, else when its tenant's turn
  /// comes, on a thread that may take its time. Throws what `body` throws, and `ServingError`.
  func work<Value: Sendable>(
    _ caller: Caller, bytes: Int, _ body: @escaping @Sendable (WorkCheck) throws -> Value
  ) async throws -> Value {
    guard bytes > RequestMemory.free else {
      return try body(WorkCheck(deadline: caller.arrival.deadline))
    }
    return try await workers.run(caller.arrival, bytes: bytes, body)
  }
}

extension TextInput {
  /// What is read for it: of a pair the second, since the first is mostly that of the pair before.
  fileprivate var ownBytes: Int {
    switch self {
    case .text(let text), .running(let text), .pair(_, let text): text.utf8.count
    case .words(let words): words.reduce(0) { $0 + $1.utf8.count }
    }
  }
}

extension Answer {
  /// What Text Embeddings Inference reports, times in ms (the largest of the sequences'), and the
  /// share of n-grams that the table had.
  var fields: [(AnswerField, String)] {
    var plot = PLOTStatistics()
    for reply in replies { plot += reply.plot }
    func longest(_ part: KeyPath<Timing, Duration>) -> String {
      (replies.map { $0.timing[keyPath: part] }.max() ?? .zero).milliseconds
    }
    return [
      (.computeType, "cpu"), (.computeTokens, String(tokens)),
      (.totalTime, (ContinuousClock.now - begin).milliseconds),
      (.tokenizationTime, tokenization.milliseconds), (.queueTime, longest(\.queue)),
      (.lookupTime, longest(\.lookup)), (.inferenceTime, longest(\.compute)),
      (.hitRate, ((plot.hitRate * 10_000).rounded() / 10_000).description),
      (.version, String(vbert.id.number)),
    ]
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

extension APIError {
  /// What is wrong with the input of that number.
  fileprivate init(_ problem: TextProblem, index: Int) {
    self =
      switch problem {
      case .empty: .emptyText(index: index)
      case .tooLong(let tokens, let isExact, let most):
        .tooLong(tokens: tokens, isExact: isExact, most: most, index: index)
      case .tooManyWords(let words?, let most):
        .invalid(
          "text \(index) has \(words) words; at most \(most) are possible: send several texts",
          param: "inputs")
      case .tooManyWords(nil, let most):
        .invalid(
          "text \(index) has more than \(most) words: send several texts", param: "inputs")
      }
  }
}
