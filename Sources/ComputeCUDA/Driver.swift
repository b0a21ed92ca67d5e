internal import CCUDA
internal import Compute

/// The driver's functions, with failures as errors. A value: copies call the same driver.
@safe struct Driver: @unchecked Sendable {
  let table: ccuda_driver

  /// The driver's code for no memory left.
  static let outOfMemory: Int32 = 2

  /// Throws `device`, with the driver's own words, unless `code` is 0.
  func check(_ code: Int32, _ doing: StaticString) throws(ComputeError) {
    guard code != 0 else { return }
    throw .device("\(doing): \(describe(code))")
  }

  func describe(_ code: Int32) -> String {
    var name: UnsafePointer<CChar>?
    var text: UnsafePointer<CChar>?
    _ = unsafe table.error_name(code, &name)
    _ = unsafe table.error_string(code, &text)
    guard let name = unsafe name, let text = unsafe text else { return "error \(code)" }
    return unsafe "\(String(cString: text)) (\(String(cString: name)))"
  }

  func attribute(_ number: Int32, of device: Int32) throws(ComputeError) -> Int {
    var value: Int32 = 0
    try check(unsafe table.device_attribute(&value, number, device), "reading a device attribute")
    return Int(value)
  }

  func describe(device: Int32, ordinal: Int) throws(ComputeError) -> GPUDescription {
    var text = [CChar](repeating: 0, count: 256)
    try check(unsafe table.device_name(&text, 256, device), "asking for the GPU's name")
    var bytes = 0
    try check(unsafe table.device_total_memory(&bytes, device), "asking for memory")
    return GPUDescription(
      ordinal: ordinal,
      name: String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self),
      architecture: 10 * (try attribute(DriverNumber.computeCapabilityMajor, of: device))
        + (try attribute(DriverNumber.computeCapabilityMinor, of: device)),
      memoryBytes: bytes)
  }
}

/// Numbers of the driver's API that are used here.
enum DriverNumber {
  static let computeCapabilityMajor: Int32 = 75
  static let computeCapabilityMinor: Int32 = 76
  static let multiprocessors: Int32 = 16
  /// Most dynamic shared memory that a block may be granted.
  static let sharedMemoryPerBlock: Int32 = 97
  /// Function attribute: dynamic shared memory granted.
  static let dynamicSharedMemory: Int32 = 8
  /// A stream that does not wait for the default stream.
  static let nonBlocking: UInt32 = 1
  static let eventWithTime: UInt32 = 0
  /// An event for order alone.
  static let eventWithoutTime: UInt32 = 2
}
