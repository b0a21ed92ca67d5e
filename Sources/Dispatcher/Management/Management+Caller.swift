internal import Manager
internal import Model

extension Caller {
  /// The tenant that a request is about: the caller's own unless it says another, which the operator alone
  /// may: to everybody else no other exists. Throws `APIError`.
  func tenant(asked text: String?) throws(APIError) -> Name {
    guard let text else { return tenant.name }
    guard let name = try? Name(text), name == tenant.name || isOperator else {
      throw .notFound(RegistryError.noTenant(text).description)
    }
    return name
  }

  /// As the audit names who asks.
  var actor: Actor {
    Actor(key.map { "\($0.tenant)/\($0.label)" } ?? "nobody", key: key?.id)
  }
}

extension Dispatcher {
  /// What the registry refuses, as it is told over HTTP. `body` runs as the caller, on a thread that may wait:
  /// a change waits for other processes' (30 s at most), and on a thread that others need would hold up
  /// everything that is asked.
  func managing<Result: Sendable>(
    _ caller: Caller, _ body: @escaping @Sendable () async throws -> Result
  ) async throws -> Result {
    let actor = caller.actor
    do {
      return try await clerks.run(caller.arrival, bytes: 1 << 16) { _ in
        try blocking { try await Actor.$current.withValue(actor) { try await body() } }
      }
    } catch let error as RegistryError {
      switch error {
      case .noVBERT(let name, _): throw APIError.unknownModel(name)
      case .noTenant, .noKey, .noVersion, .noFile, .noFineTuning, .noBatch:
        throw APIError.notFound(error.description)
      case .lostKey: throw APIError.unauthorized(.unknown)
      case .beyondKey(let label, let has, let needs):
        throw APIError.forbidden(key: label, has: has, needs: needs.joined(separator: ", "))
      case .vbertExists, .tenantExists, .keyExists, .overQuota, .tenantHasVBERTs, .defaultTenant,
        .fileInUse, .fineTuningIsOver, .batchIsOver, .tooManyWaiting:
        throw APIError.conflict(error.description)
      case .busy: throw APIError.unhealthy("another process holds the registry; try again")
      default: throw error
      }
    }
  }
}
