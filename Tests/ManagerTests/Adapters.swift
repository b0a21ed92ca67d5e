internal import Compute
internal import Foundation
internal import Manager
internal import Model
internal import Synchronization

extension Configuration {
  /// 4 layers, 2 of them local; hidden 8, FFN 16.
  static let tiny = Configuration(
    vocabularySize: 10, hiddenSize: 8, layerCount: 4, headCount: 2, intermediateSize: 16,
    maxPositions: 128, skipDepth: 2)
}

/// An adapter that fits, every number of it told apart from every other's by `seed`.
func makeAdapter(_ spec: VBertSpec, seed: Int = 0, base: Model.Configuration = .tiny) throws
  -> HostAdapter
{
  var tensors = MemoryTensors()
  var next = Float(seed * 10_000)
  for (name, shape) in AdapterFile.layout(spec, base: base) {
    tensors.set(
      name, shape: shape,
      (0..<shape.reduce(1, *)).map { _ in
        next += 1; return next / 1024
      })
  }
  return try AdapterFile.adapter(spec, base: base, from: tensors)
}

func sameTensors(_ one: HostAdapter, _ other: HostAdapter) -> Bool {
  let (a, b) = (AdapterFile.tensors(of: one), AdapterFile.tensors(of: other))
  return a.count == b.count
    && zip(a, b).allSatisfy { $0.name == $1.name && $0.shape == $1.shape && $0.values == $1.values }
}

/// A device that keeps what it is given and counts the bytes alive.
final class CountingDevice: Sendable {
  struct Counts {
    var loads = 0
    var liveBytes = 0
    var inside = 0
    var mostInside = 0
  }

  final class Adapter: ResidentAdapter {
    let host: HostAdapter
    let byteCount: Int
    let device: CountingDevice

    init(_ host: HostAdapter, device: CountingDevice) {
      self.host = host
      self.device = device
      byteCount = AdapterFile.tensors(of: host).reduce(0) { $0 + 4 * $1.values.count }
      device.counts.withLock { $0.liveBytes += byteCount }
    }

    deinit { device.counts.withLock { $0.liveBytes -= byteCount } }
  }

  let counts = Mutex(Counts())
  let delay: TimeInterval

  init(delay: TimeInterval = 0) { self.delay = delay }

  var loads: Int { counts.withLock(\.loads) }

  func load(_ adapter: HostAdapter) -> any ResidentAdapter {
    counts.withLock {
      $0.loads += 1
      $0.inside += 1
      $0.mostInside = max($0.mostInside, $0.inside)
    }
    defer { counts.withLock { $0.inside -= 1 } }
    if delay > 0 { Thread.sleep(forTimeInterval: delay) }
    return Adapter(adapter, device: self)
  }
}

extension AdapterStore {
  /// Of a store whose blobs are files.
  func url(_ blob: String) -> URL { FileBlobs(home).url(blob) }

  /// What one collection finds where nobody is in its way.
  func collectAll() async throws -> OrphanReport {
    try await OrphanReport.ofAll { try await collectOrphans() }
  }
}

extension OrphanReport {
  /// Of a sweep where nobody is in its way. A program that another test starts holds all locks for an
  /// instant, until it is itself: shards that were skipped for it are swept again.
  static func ofAll(_ sweep: () async throws -> OrphanReport) async throws -> OrphanReport {
    var total = try await sweep()
    while total.skippedShards > 0 {
      let part = try await sweep()
      total.quarantinedFiles += part.quarantinedFiles
      total.removedFiles += part.removedFiles
      total.removedBytes += part.removedBytes
      total.restoredFiles += part.restoredFiles
      (total.skippedShards, total.links) = (part.skippedShards, part.links)
      total.missing += part.missing.filter { !total.missing.contains($0) }
    }
    return total
  }
}
