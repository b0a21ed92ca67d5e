internal import Manager
internal import Scheduler
internal import Synchronization

/// What every tenant uses of what it may: `Quota` with a clock and a lock. Tenants that use nothing are
/// not remembered.
final class Quotas: Sendable {
  private let tenants = Mutex<[Int64: Quota]>([:])

  /// What is left, for whoever wants to know.
  struct State: Sendable {
    let limits: QuotaLimits
    let requests: Int
    let tokens: Double
  }

  /// Throws `APIError.overQuota`.
  func begin(_ tenant: TenantRecord) throws(APIError) {
    try change(tenant) { (quota, limits) throws(Quota.Refusal) in try quota.begin(limits) }
  }

  func end(_ tenant: TenantRecord) {
    tenants.withLock { all in
      all[tenant.id]?.end()
      forget(tenant, &all)
    }
  }

  /// Throws `APIError.overQuota`.
  func enter(
    _ tenant: TenantRecord, sequences: Int, tokens: Int, isBackground: Bool
  ) throws(APIError) {
    try change(tenant) { (quota, limits) throws(Quota.Refusal) in
      try quota.enter(
        sequences: sequences, tokens: tokens, limits, at: .now, isBackground: isBackground)
    }
  }

  func leave(_ tenant: TenantRecord, sequences: Int, isBackground: Bool) {
    let sequences = isBackground ? 0 : sequences
    tenants.withLock { all in
      all[tenant.id]?.leave(sequences: sequences)
      forget(tenant, &all)
    }
  }

  /// nil of a tenant without limits on what it asks.
  func state(_ tenant: TenantRecord) -> State? {
    let limits = tenant.processor.quota
    guard limits != QuotaLimits() else { return nil }
    return tenants.withLock { all in
      let quota = all[tenant.id] ?? Quota()
      return State(
        limits: limits, requests: quota.requests, tokens: quota.level(limits, at: .now))
    }
  }

  private func change(
    _ tenant: TenantRecord, _ body: (inout Quota, QuotaLimits) throws(Quota.Refusal) -> Void
  ) throws(APIError) {
    let limits = tenant.processor.quota
    let refusal = tenants.withLock { all -> Quota.Refusal? in
      var quota = all[tenant.id] ?? Quota()
      do throws(Quota.Refusal) { try body(&quota, limits) } catch { return error }
      all[tenant.id] = quota
      return nil
    }
    guard let refusal else { return }
    switch refusal {
    case .tokens(let seconds):
      throw .overQuota(limit: "tokens_per_second", retryAfter: max(1, Int(seconds.rounded(.up))))
    case .requests: throw .overQuota(limit: "requests", retryAfter: 1)
    case .sequences: throw .overQuota(limit: "sequences", retryAfter: 1)
    }
  }

  private func forget(_ tenant: TenantRecord, _ all: inout [Int64: Quota]) {
    guard all[tenant.id]?.isIdle(tenant.processor.quota, at: .now) == true else { return }
    all[tenant.id] = nil
  }
}

extension VirtualProcessor {
  /// Of what is asked; what is stored the registry bounds.
  fileprivate var quota: QuotaLimits {
    QuotaLimits(
      tokensPerSecond: limits.tokensPerSecond, burst: limits.burst, requests: limits.requests,
      sequences: limits.sequences)
  }
}
