import Compute
import ComputeCUDA
import Foundation
import Trainer

extension TrainingRoom {
  /// Of one vBERT, which takes what it needs.
  static let ofOne = TrainingRoom(tokens: 4096, members: 1)

  /// Of many on a device. `memory`: bytes of the machine, and of the GPU where there is one; nil: half of
  /// the machine's, and three quarters of what is free on the GPU once the base is there.
  init(on device: DeviceChoice, memory: Int?) {
    let host = memory ?? MachineMemory.bytes / 2
    let rowCache = min(OpenedBase.rowBytes, host / 16)
    switch device {
    case .cpu:
      self.init(tokens: 4096, members: 64, rowCache: rowCache) { _ in .shared(host) }
    case .cuda:
      self.init(tokens: 65_536, members: 2048, rowCache: rowCache) { backend in
        let free = try (backend as? CUDABackend)?.device.freeBytes() ?? 0
        return .apart(host: host, device: memory ?? free / 4 * 3)
      }
    }
  }
}

/// What this process may have.
enum MachineMemory {
  /// The machine's, or less where a container is given less.
  static var bytes: Int {
    let files = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"]
    return least(
      machine: Int(clamping: ProcessInfo.processInfo.physicalMemory),
      limits: files.map { try? String(contentsOfFile: $0, encoding: .utf8) })
  }

  /// `limits`: what the files that set one say; "max", and none, are none.
  static func least(machine: Int, limits: [String?]) -> Int {
    limits.compactMap { $0 }.compactMap {
      Int($0.trimmingCharacters(in: .whitespacesAndNewlines))
    }.filter { $0 > 0 }.reduce(machine, min)
  }
}
