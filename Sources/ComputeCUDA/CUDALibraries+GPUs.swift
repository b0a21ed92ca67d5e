internal import CCUDA

/// A GPU that the driver reports.
package struct GPUDescription: Sendable, Equatable {
  /// As `--device cuda:n` counts.
  package let ordinal: Int
  package let name: String
  /// 90 for compute capability 9.0.
  package let architecture: Int
  package let memoryBytes: Int

  /// Whether the kernels run on it.
  package var isSupported: Bool { architecture >= 80 }
}

extension CUDALibraries {
  /// The GPUs of this machine, none where there is no driver; makes no context on them.
  package var gpus: [GPUDescription] {
    guard let table = driver else { return [] }
    let driver = Driver(table: table)
    var count: Int32 = 0
    guard unsafe table.device_count(&count) == 0 else { return [] }
    return (0..<max(0, Int(count))).compactMap { ordinal in
      var device: Int32 = 0
      guard unsafe table.device_get(&device, Int32(ordinal)) == 0 else { return nil }
      return try? driver.describe(device: device, ordinal: ordinal)
    }
  }
}
