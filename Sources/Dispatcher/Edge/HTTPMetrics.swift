internal import CoreMetrics
internal import Synchronization

/// Requests by route and status, and how long they took by route. The route is its template: a
/// path that somebody made up is no new series.
final class HTTPMetrics: Sendable {
  private struct Key: Hashable {
    let route: String
    let status: Int
  }
  private let factory: any MetricsFactory
  private let counters = Mutex<[Key: Counter]>([:])
  private let timers = Mutex<[String: CoreMetrics.Timer]>([:])

  init(factory: any MetricsFactory) { self.factory = factory }

  func note(route: String, status: Int, took: Duration) {
    let key = Key(route: route, status: status)
    let counter = counters.withLock { counters in
      if let counter = counters[key] { return counter }
      let counter = Counter(
        label: "vbert_http_requests_total",
        dimensions: [("route", route), ("status", String(status))], factory: factory)
      counters[key] = counter
      return counter
    }
    counter.increment()
    let timer = timers.withLock { timers in
      if let timer = timers[route] { return timer }
      let timer = Timer(
        label: "vbert_http_request_seconds", dimensions: [("route", route)], factory: factory)
      timers[route] = timer
      return timer
    }
    timer.recordNanoseconds(Int64((took / .nanoseconds(1)).rounded()))
  }
}
