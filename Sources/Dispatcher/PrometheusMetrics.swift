package import CoreMetrics
internal import Synchronization

/// Metrics as Prometheus reads them (text format 0.0.4): a factory for swift-metrics, and a page.
///
/// Timers and recorders become histograms. The number of series is bounded: past it new ones count
/// into nothing, so no label can fill the memory.
package final class PrometheusMetrics: MetricsFactory {
  private struct Key: Hashable {
    let label: String
    let dimensions: String
  }
  private enum Series: Sendable {
    case counter(PrometheusCounter)
    case gauge(PrometheusGauge)
    case histogram(PrometheusHistogram)
  }
  private let series = Mutex<[Key: Series]>([:])
  private let mostSeries: Int

  package init(mostSeries: Int = 5000) { self.mostSeries = mostSeries }

  /// The series under this name, made where it is new; nil where there are too many.
  private func find(
    _ label: String, _ dimensions: [(String, String)], _ make: () -> Series
  ) -> Series? {
    let key = Key(
      label: PrometheusPage.name(label), dimensions: PrometheusPage.labels(dimensions))
    return series.withLock { series in
      if let found = series[key] { return found }
      guard series.count < mostSeries else { return nil }
      let made = make()
      series[key] = made
      return made
    }
  }

  package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
    if case .counter(let counter) = find(label, dimensions, { .counter(PrometheusCounter()) }) {
      return counter
    }
    return PrometheusCounter()
  }

  package func makeRecorder(
    label: String, dimensions: [(String, String)], aggregate: Bool
  ) -> any RecorderHandler {
    guard aggregate else {
      if case .gauge(let gauge) = find(label, dimensions, { .gauge(PrometheusGauge()) }) {
        return gauge
      }
      return PrometheusGauge()
    }
    let make = { Series.histogram(PrometheusHistogram(bounds: PrometheusHistogram.counts)) }
    if case .histogram(let histogram) = find(label, dimensions, make) { return histogram }
    return PrometheusHistogram(bounds: [])
  }

  package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
    let make = { Series.histogram(PrometheusHistogram(bounds: PrometheusHistogram.seconds)) }
    if case .histogram(let histogram) = find(label, dimensions, make) { return histogram }
    return PrometheusHistogram(bounds: [])
  }

  package func destroyCounter(_ handler: any CounterHandler) {}
  package func destroyRecorder(_ handler: any RecorderHandler) {}
  package func destroyTimer(_ handler: any TimerHandler) {}

  /// Writes every series, those of one name together.
  func write(to page: inout PrometheusPage) {
    let all = series.withLock { $0 }.sorted {
      ($0.key.label, $0.key.dimensions) < ($1.key.label, $1.key.dimensions)
    }
    for (key, series) in all {
      switch series {
      case .counter(let counter):
        page.sample(key.label, .counter, Double(counter.value), labels: key.dimensions)
      case .gauge(let gauge): page.sample(key.label, .gauge, gauge.value, labels: key.dimensions)
      case .histogram(let histogram):
        page.histogram(key.label, key.dimensions, histogram.snapshot)
      }
    }
  }
}

final class PrometheusCounter: CounterHandler {
  private let count = Atomic<Int64>(0)

  var value: Int64 { count.load(ordering: .relaxed) }
  func increment(by amount: Int64) { count.wrappingAdd(max(0, amount), ordering: .relaxed) }
  func reset() { count.store(0, ordering: .relaxed) }
}

final class PrometheusGauge: RecorderHandler {
  private let bits = Atomic<UInt64>(0)

  var value: Double { Double(bitPattern: bits.load(ordering: .relaxed)) }
  func record(_ value: Int64) { record(Double(value)) }
  func record(_ value: Double) { bits.store(value.bitPattern, ordering: .relaxed) }
}

final class PrometheusHistogram: TimerHandler, RecorderHandler {
  struct Snapshot: Sendable {
    let bounds: [Double]
    /// One more than bounds: the last holds what is above all of them.
    var counts: [Int]
    var sum = 0.0
  }

  static let seconds = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
  ]
  static let counts: [Double] = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192]

  private let state: Mutex<Snapshot>

  init(bounds: [Double]) {
    state = Mutex(Snapshot(bounds: bounds, counts: Array(repeating: 0, count: bounds.count + 1)))
  }

  var snapshot: Snapshot { state.withLock { $0 } }

  func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1e9) }
  func record(_ value: Int64) { record(Double(value)) }
  func record(_ value: Double) {
    state.withLock { state in
      let place = state.bounds.firstIndex { value <= $0 } ?? state.bounds.count
      state.counts[place] += 1
      state.sum += value
    }
  }
}
