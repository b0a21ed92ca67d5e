/// Bytes of the host and of the device; where the device is the host (a CPU) both lie in one memory.
package struct TrainingBytes: Sendable, Equatable {
  package var host: Int
  package var device: Int

  package init(host: Int = 0, device: Int = 0) { (self.host, self.device) = (host, device) }

  package var sum: Int { host + device }

  package static func + (a: TrainingBytes, b: TrainingBytes) -> TrainingBytes {
    TrainingBytes(host: a.host + b.host, device: a.device + b.device)
  }

  /// Of each the larger: of what is needed by turns.
  package static func larger(_ a: TrainingBytes, _ b: TrainingBytes) -> TrainingBytes {
    TrainingBytes(host: max(a.host, b.host), device: max(a.device, b.device))
  }
}

/// What training may take of the machine's memory, in bytes.
package enum TrainingMemory: Sendable, Equatable {
  case shared(Int)
  case apart(host: Int, device: Int)

  /// As good as no bound, and far from overflow.
  package static let unbounded = TrainingMemory.shared(1 << 60)

  package func holds(_ bytes: TrainingBytes) -> Bool {
    switch self {
    case .shared(let most): bytes.sum <= most
    case .apart(let host, let device): bytes.host <= host && bytes.device <= device
    }
  }

  /// What is left for the device beside `bytes`; 0 where they do not fit.
  package func deviceBytes(beside bytes: TrainingBytes) -> Int {
    switch self {
    case .shared(let most): max(0, most - bytes.sum)
    case .apart(_, let device): max(0, device - bytes.device)
    }
  }

  /// Of the host, and of the device.
  package var host: Int {
    switch self {
    case .shared(let most): most
    case .apart(let host, _): host
    }
  }
  package var device: Int {
    switch self {
    case .shared(let most): most
    case .apart(_, let device): device
    }
  }

  /// A memory that is surely large enough for what needs `bytes` in this one, in words of `--memory`: whole
  /// hundreds of MB. What grows with the memory takes up to three eighths of it: kept n-gram rows and the
  /// room for reading a sixteenth each, batches a quarter.
  package func enough(for bytes: TrainingBytes) -> String {
    let needed =
      switch self {
      case .shared: bytes.sum
      case .apart: max(bytes.host, bytes.device)
      }
    let step = 100 << 20
    return "\((needed / 5 * 8 + step - 1) / step * 100)M"
  }
}
