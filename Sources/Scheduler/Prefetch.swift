internal import Compute
internal import Manager
internal import Model

/// What is done for a batch before the device is free: adapters, then n-gram rows. Whatever fails
/// here fails the sequences that need it and no others.
struct Prefetch: Sendable {
  /// Which of a base's engines is ours.
  let lane: Int
  let adapters: any AdapterSource
  let mode: PLOTMode
  let trace: Trace?

  func prepare(_ works: [Work], number: Int) -> PreparedBatch {
    let closed = ContinuousClock.now
    var failures: [BatchFailure] = []
    let found = parts(works.filter { !$0.isUnwanted }, number, &failures)
    // Whose adapters are ready share what that took by their size.
    let adapters = ContinuousClock.now - closed
    let units = found.reduce(0) { $0 + $1.units }
    let parts = found.compactMap { part in
      withRows(part, number, adapters: adapters * (part.units / units), &failures)
    }
    return PreparedBatch(number: number, closed: closed, parts: parts, failures: failures)
  }

  fileprivate struct Part {
    let base: ServedBase
    var works: [Work] = []
    var runs: [BatchPart.Run] = []
    var segments: [NGramLookup.Segment] = []
    var tokens = 0

    var units: Double { works.reduce(BatchSpeed.batchUnits) { $0 + $1.units } }
  }

  /// Sorts the works into bases and vBERTs, and makes the vBERTs' adapters resident.
  private func parts(
    _ works: [Work], _ number: Int, _ failures: inout [BatchFailure]
  ) -> [Part] {
    let begin = ContinuousClock.now
    defer {
      trace?.span("adapters", .prefetch(lane), from: begin, ["batch": .number(Double(number))])
    }
    var parts: [Part] = []
    let sorted = works.sorted { BatchOrder($0.request) < BatchOrder($1.request) }
    let runs = sorted.chunked(by: {
      $0.request.vbert.id == $1.request.vbert.id && $0.request.pin.base === $1.request.pin.base
    })
    let asked = runs.map { $0[$0.startIndex].request }.filter { !$0.vbert.isProbe }
    var found = adapters.residents(
      for: asked.map(\.vbert.id), bases: asked.map(\.pin.base.configuration)
    ).makeIterator()
    for run in runs {
      let request = run[run.startIndex].request
      let (vbert, base) = (request.vbert, request.pin.base)
      do {
        let adapter = vbert.isProbe ? nil : try (found.next() ?? .failure(.gone(vbert.id))).get()
        let domain = try request.pin.tables()
        // Of those that left while it was fetched nothing is computed.
        let wanted = run.filter { work in
          let isUnwanted = work.isUnwanted
          if isUnwanted { work.answer(.failure(.cancelled)) }
          return !isUnwanted
        }
        guard !wanted.isEmpty else { continue }
        if parts.last?.base !== base { parts.append(Part(base: base)) }
        parts[parts.count - 1].append(wanted[...], vbert, adapter, domain)
      } catch {
        let failure = BatchFailure(refusing: run, vbert, at: .adapter, "\(error)")
        // Who deleted it knows; nothing is wrong.
        if case AdapterError.gone = error { continue }
        failures.append(failure)
      }
    }
    return parts
  }

  /// Looks up, or computes, the part's n-gram rows; nil where that failed and all are answered.
  private func withRows(
    _ part: Part, _ number: Int, adapters: Duration, _ failures: inout [BatchFailure]
  ) -> BatchPart? {
    let begin = ContinuousClock.now
    let packed = PackedBatch(sequences: part.works.map(\.request.tokens))
    do {
      let engine = part.base.engines[lane]
      let rows =
        part.base.plot == nil
        ? nil : try engine.rows(for: packed.grams, segments: part.segments, mode: mode)
      trace?.span(
        "lookup", .prefetch(lane), from: begin,
        [
          "batch": .number(Double(number)), "base": .text(part.base.name),
          "tokens": .number(Double(packed.layout.rows)),
          "computed": .number(Double(rows?.computedNGrams ?? 0)),
        ])
      return BatchPart(
        base: part.base, engine: engine, works: part.works, runs: part.runs, packed: packed,
        rows: rows,
        took: adapters + (.now - begin))
    } catch PLOTError.lostDomain(let domain) {
      guard let rest = part.without(domain, &failures) else { return nil }
      return withRows(rest, number, adapters: adapters, &failures)
    } catch {
      for work in part.works { work.answer(.failure(.compute("\(error)"))) }
      failures.append(
        BatchFailure(
          stage: .lookup, sequences: part.works.count, why: "\(error)",
          vberts: part.runs.map(\.vbert)))
      return nil
    }
  }
}

extension Prefetch.Part {
  fileprivate mutating func append(
    _ run: ArraySlice<Work>, _ vbert: PinnedVBert, _ adapter: (any ResidentAdapter)?,
    _ domain: PLOTDomain?
  ) {
    let tokens = run.reduce(0) { $0 + $1.tokens }
    runs.append(
      BatchPart.Run(
        vbert: vbert, adapter: adapter, sequences: works.count..<works.count + run.count))
    if let domain {
      segments.append(.init(tokens: self.tokens..<self.tokens + tokens, domain: domain))
    }
    works += run
    self.tokens += tokens
  }

  /// Without the vBERTs of a domain that cannot be served any more, which are answered; nil where
  /// nothing is left.
  fileprivate func without(_ domain: String, _ failures: inout [BatchFailure]) -> Self? {
    var rest = Self(base: base)
    for run in runs {
      let works = works[run.sequences]
      do {
        guard run.vbert.spec.domain != domain else { throw PLOTError.lostDomain(domain) }
        let pin = works[works.startIndex].request.pin
        rest.append(works, run.vbert, run.adapter, try pin.tables())
      } catch {
        failures.append(BatchFailure(refusing: works, run.vbert, at: .lookup, "\(error)"))
      }
    }
    return rest.works.isEmpty ? nil : rest
  }
}

extension BatchFailure {
  /// Answers one vBERT's sequences with why it cannot be served.
  fileprivate init(
    refusing works: ArraySlice<Work>, _ vbert: PinnedVBert, at stage: Stage, _ why: String
  ) {
    for work in works { work.answer(.failure(.vbert(name: vbert.name, why: why))) }
    self.init(stage: stage, sequences: works.count, why: why, vberts: [vbert])
  }
}

/// The order inside a batch: by base, tagging last, then what shares a pooling, then the vBERT.
private struct BatchOrder: Comparable {
  let key: (base: UInt, isTag: Int, pooling: UInt8, vbert: Int64, version: Int)

  init(_ request: Request) {
    let vbert = request.vbert
    // Any order of bases will do.
    key = (
      UInt(bitPattern: ObjectIdentifier(request.pin.base)), vbert.spec.task == .tag ? 1 : 0,
      vbert.spec.pooling.rawValue, vbert.id.vbert, vbert.id.number
    )
  }

  static func == (a: BatchOrder, b: BatchOrder) -> Bool { a.key == b.key }
  static func < (a: BatchOrder, b: BatchOrder) -> Bool { a.key < b.key }
}

extension Array {
  /// Longest stretches in which every two neighbours belong together.
  fileprivate func chunked(by together: (Element, Element) -> Bool) -> [ArraySlice<Element>] {
    var chunks: [ArraySlice<Element>] = []
    var start = 0
    for i in indices where i + 1 == count || !together(self[i], self[i + 1]) {
      chunks.append(self[start...i])
      start = i + 1
    }
    return chunks
  }
}
