import Manager
import Model
import Trainer

extension OpenedBase {
  /// The same on the device that the command line names.
  init(
    of spec: VBertSpec, home: Home, device: DeviceOptions, precision: PrecisionChoice = .fp32,
    threads: Int?, rowBytes: Int = OpenedBase.rowBytes
  ) throws {
    try self.init(
      of: spec, home: home, rowBytes: rowBytes,
      lane: { try Device(device, precision: precision).lane(threads: threads, for: $0) },
      say: { ProgressLine().say($0) }, warn: { ProgressLine.warn($0) })
  }
}
