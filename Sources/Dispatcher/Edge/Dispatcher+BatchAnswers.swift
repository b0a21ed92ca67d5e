internal import HTTPTypes
internal import Manager
internal import Scheduler

extension Dispatcher {
  /// Asks what a line of a batch asks, as its tenant and behind everything else, and again where the server has no room
  /// for it now. Throws `CancellationError`, and `BatchEnd` where meanwhile nobody wants it.
  func answer(
    _ line: BatchLine, of tenant: TenantRecord, _ isWanted: @Sendable () async throws -> Bool
  ) async throws -> BatchAnswerLine {
    let id = PublicID.make("batch_req")
    guard let question = questions.first(where: { $0.route.path == line.endpoint }) else {
      // Of a file that a newer vbert took.
      let problem = APIError.notFound("nothing is asked at \(line.endpoint)")
      return BatchAnswerLine(
        id, customID: line.customID, status: problem.status(.openAI).code,
        body: problem.json(.openAI).bytes)
    }
    while true {
      let caller = Caller(background: tenant, RequestMemory.Share(memory, tenant: tenant.id))
      do {
        do throws(RequestMemory.Full) { try caller.memory.add(line.byteCount) } catch {
          throw APIError.memoryFull(tenant: error == .tenant)
        }
        let body = try await text(of: question.ask(line.body, caller), caller)
        note(caller)
        return BatchAnswerLine(id, customID: line.customID, status: 200, body: body)
      } catch {
        try Task.checkCancellation()
        let problem = APIError(error)
        guard let pause = problem.pause else {
          note(caller)
          let family = question.route.family
          return BatchAnswerLine(
            id, customID: line.customID, status: problem.status(family).code,
            body: problem.json(family).bytes)
        }
        try await Task.sleep(for: .seconds(pause))
        guard try await isWanted() else { throw BatchEnd() }
      }
    }
  }

  private func note(_ caller: Caller) {
    usage.note(
      Usage(requests: 1, tokens: caller.meter.tokens), of: caller.tenant.name, with: nil)
  }

  /// An answer as bytes, in turns with other tenants' work where it is long.
  private func text(of outcome: Outcome, _ caller: Caller) async throws -> [UInt8] {
    switch outcome.body {
    case .json(let writer): return writer.bytes
    case .text(let text, _): return Array(text.utf8)
    case .pieces(let pieces):
      return try await workers.run(caller.arrival, bytes: 1 << 16) { _ in
        var (pieces, writer) = (pieces, JSONWriter())
        while pieces.next(&writer) {}
        return writer.bytes
      }
    // No question is answered so.
    case .stream, .tensors: throw APIError.internalError
    }
  }
}

/// Nobody wants the rest of a batch.
struct BatchEnd: Error {}

extension Caller {
  /// Nobody waits for the answer: it is asked behind everything else.
  fileprivate init(background tenant: TenantRecord, _ memory: RequestMemory.Share) {
    self.init(
      tenant: tenant, key: nil, begin: .now,
      arrival: Arrival(background: tenant.id, deadline: .now + .seconds(3600)), memory: memory)
  }
}

extension APIError {
  /// Seconds after which the same request may be answered; nil where it won't be.
  fileprivate var pause: Int? {
    switch self {
    case .memoryFull, .overQuota, .unhealthy, .serving(.overloaded), .serving(.timedOut),
      .serving(.stopping), .serving(.hung), .serving(.dropped), .serving(.cancelled):
      min(30, max(1, retryAfter ?? 1))
    default: nil
    }
  }
}
