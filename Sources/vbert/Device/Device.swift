import Compute
import ComputeCPU
import ComputeCUDA
import Foundation
import Model

/// An opened device: the one place that chooses a backend. Everything else asks it for lanes.
struct Device {
  private enum Kind {
    case cpu
    case cuda(CUDADevice)
  }

  private let kind: Kind
  private let precision: PrecisionChoice

  /// `precision` is a CPU's, and of the lanes that prepare a base; `adapterBytes` is what adapters may take of a GPU's memory; nil: half of what is free.
  /// Throws `ComputeError`, with what to do, where there is no such device.
  init(
    _ options: DeviceOptions, precision: PrecisionChoice = .fp32, adapterBytes: Int? = nil
  ) throws(ComputeError) {
    self.precision = precision
    if precision == .int8 || precision == .bf16, options.device != .cpu {
      throw .unsupported(
        "--precision \(precision.rawValue) is for --device cpu; leave it out for a GPU")
    }
    kind =
      switch options.device {
      case .cpu: .cpu
      case .cuda(let number):
        .cuda(try Device.gpu(number, options.cudaLibraries, adapterBytes: adapterBytes))
      }
  }

  /// For what runs on a GPU or not at all.
  static func gpu(
    _ number: Int, _ libraries: [String], adapterBytes: Int? = nil, adapterFraction: Double = 0.5
  ) throws(ComputeError) -> CUDADevice {
    var settings = CUDADevice.Options()
    settings.ordinal = number
    settings.adapterBytes = adapterBytes
    settings.adapterFraction = adapterFraction
    // Many times what a batch takes.
    settings.pagePatience = .seconds(1)
    return try CUDADevice(.find(directories: libraries), options: settings)
  }

  /// A lane of its own for one thread. `threads` is how many compute on a CPU (nil: all cores); a
  /// GPU needs none. What one lane prepares or loads, all read. With a base's `configuration` the lane
  /// prepares its matrices in the device's precision.
  func lane(
    threads: Int? = nil, for configuration: Configuration? = nil
  ) throws(ComputeError) -> any Backend {
    switch kind {
    case .cpu:
      try CPUBackend(
        threads: threads ?? ProcessInfo.processInfo.activeProcessorCount,
        precision: try precision(for: configuration))
    case .cuda(let device): try CUDABackend(device: device)
    }
  }

  /// Says on stderr what `auto` chose.
  private func precision(for configuration: Configuration?) throws(ComputeError) -> Precision {
    switch precision {
    case .fp32: return .fp32
    case .bf16: return .bf16
    case .int8: return .int8
    case .auto:
      guard let configuration else { return .fp32 }
      let trial = try PrecisionTrial(configuration)
      FileHandle.standardError.write(Data("--precision auto: \(trial.report)\n".utf8))
      return trial.choice
    }
  }

  /// Rows of n-grams in a GPU's memory, in the format `type`; nil on a CPU, and for 0 bytes.
  func rowCache(byteCount: Int, hidden: Int, type: ElementType) throws(ComputeError)
    -> (any NGramRowCache)?
  {
    guard case .cuda(let device) = kind, byteCount > 0 else { return nil }
    return try CUDARowCache(device: device, byteCount: byteCount, hidden: hidden, type: type)
  }

  /// What brings adapters from pinned host memory to a GPU, on a lane of its own, with `byteCount` bytes
  /// of the GPU's memory for them (nil: `adapterBytes`); nil on a CPU.
  func adapterMover(byteCount: Int?) throws(ComputeError) -> (any AdapterMover)? {
    guard case .cuda(let device) = kind else { return nil }
    return AdapterStream(
      lane: try CUDABackend(device: device), byteCount: byteCount ?? device.adapterBytes)
  }

  /// Bytes of adapters that the device keeps ready when nobody says how many.
  var adapterBytes: Int {
    switch kind {
    case .cpu: 512 << 20
    case .cuda(let device): device.adapterBytes
    }
  }

  /// Tokens and sequences that are computed at once when nobody says how many: a GPU needs more of
  /// them to be full.
  var batch: (tokens: Int, sequences: Int) {
    switch kind {
    case .cpu: (4096, 256)
    case .cuda: (32768, 1024)
    }
  }

  /// Milliseconds that a batch may take when nobody says how long.
  var batchTime: Double {
    switch kind {
    case .cpu: 50
    case .cuda: 20
    }
  }
}
