internal import Compute
internal import ComputeCUDA
internal import Dispatch
internal import Foundation
internal import Model
internal import Synchronization

/// Many vBERTs of one shape on a GPU, made from sixteen sets of numbers: what is in an adapter does
/// not change how long it takes, where it lies does.
struct Residents: Sendable {
  private(set) var adapters: [any ResidentAdapter]

  var byteCount: Int { adapters.reduce(0) { $0 + $1.byteCount } }

  /// `count` adapters, bottlenecks of width 64 after attention in every upper layer and a head of two
  /// labels, loaded by eight threads.
  init(_ count: Int, _ configuration: Configuration, device: CUDADevice) throws {
    let sources = try Residents.sources(configuration, device: device).map(PackedAdapter.init)
    let lanes = try (0..<8).map { _ in try CUDABackend(device: device) }
    let loaded = Mutex<(adapters: [any ResidentAdapter], problem: ComputeError?)>(([], nil))
    DispatchQueue.concurrentPerform(iterations: lanes.count) { i in
      var mine: [any ResidentAdapter] = []
      do throws(ComputeError) {
        for n in stride(from: i, to: count, by: lanes.count) {
          mine.append(try lanes[i].load(sources[n % sources.count]))
        }
        loaded.withLock { $0.adapters += mine }
      } catch { loaded.withLock { $0.problem = error } }
    }
    if let problem = loaded.withLock({ $0.problem }) { throw problem }
    adapters = loaded.withLock { $0.adapters }
  }

  mutating func add(_ more: Residents) { adapters += more.adapters }

  static func sources(_ configuration: Configuration, device: CUDADevice) throws
    -> [HostAdapter]
  {
    let hidden = configuration.hiddenSize
    let lane = try CUDABackend(device: device)
    return (0..<16).map { i in
      let r = Runner(lane, seed: UInt64(i + 1))
      return HostAdapter(
        bottlenecks: configuration.upperLayers.map {
          .init(
            layer: $0, site: .attention, down: r.matrix(64, hidden, scale: 0.05),
            up: r.matrix(hidden, 64, scale: 0.05))
        }, head: r.matrix(2, hidden))
    }
  }
}
