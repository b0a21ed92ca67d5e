internal import CCUDA
package import Compute
internal import Synchronization

/// A lane on a GPU: one stream, bf16 activations, fp32 sums. See `Backend` for who may call it when.
@safe package final class CUDABackend: Backend, @unchecked Sendable {
  package let device: CUDADevice
  package var name: String {
    "cuda:\(device.options.ordinal) (\(device.name), sm_\(device.architecture), "
      + "\(device.memoryBytes >> 30) GiB)"
  }
  package var activationType: ElementType { .bfloat16 }

  /// Warpgroups of 64 queries in a block of attention over sequences longer than 64, at most 2; 0: the
  /// kernel that every GPU runs. Compute capability 9.0 alone has them. For measuring and checking.
  package var warpgroups: Int

  let stream: UInt64
  let staging: Staging
  let buffers: BufferPool
  let productWorkspace: UInt
  /// Groups that operations under way may still read. Nobody else holds those with a mark any more; they
  /// go when the lane has come by it.
  private var held: [(groups: CUDAGroups, mark: LaneMark?)] = []
  private let start: UInt64
  private let end: UInt64
  /// A launch's arguments, eight bytes each, and their addresses.
  private let arguments = UnsafeMutableRawPointer.allocate(byteCount: 32 * 8, alignment: 8)
  private let argumentAddresses = UnsafeMutablePointer<UnsafeMutableRawPointer?>.allocate(
    capacity: 32)

  package init(device: CUDADevice) throws(ComputeError) {
    self.device = device
    warpgroups = device.architecture == 90 ? 2 : 0
    device.enter()
    let driver = device.driver
    var handles: [UInt64] = [0, 0, 0]
    try driver.check(
      unsafe driver.table.stream_create(&handles[0], DriverNumber.nonBlocking), "making a stream")
    try driver.check(
      unsafe driver.table.event_create(&handles[1], DriverNumber.eventWithTime), "making an event")
    try driver.check(
      unsafe driver.table.event_create(&handles[2], DriverNumber.eventWithTime), "making an event")
    (stream, start, end) = (handles[0], handles[1], handles[2])
    staging = try Staging(device: device, capacity: device.options.stagingBytes)
    buffers = BufferPool(device: device)
    productWorkspace = try device.allocate(Products.workspaceBytes, flag: "the number of lanes")
    for i in 0..<32 { unsafe argumentAddresses[i] = unsafe arguments + 8 * i }
  }

  deinit {
    try? finish()
    device.free(productWorkspace)
    _ = device.driver.table.event_destroy(start)
    _ = device.driver.table.event_destroy(end)
    _ = device.driver.table.stream_destroy(stream)
    unsafe arguments.deallocate()
    unsafe argumentAddresses.deallocate()
  }

  /// Waits until every operation so far is done.
  package func finish() throws(ComputeError) {
    device.enter()
    try device.driver.check(
      device.driver.table.stream_synchronize(stream), "running on the GPU")
    for i in held.indices.reversed() where isKnownUniquelyReferenced(&held[i].groups) {
      held.remove(at: i)
    }
  }

  /// Keeps `groups`, and the adapters in them, until no operation can read them.
  func hold(_ groups: CUDAGroups) throws(ComputeError) {
    // In order: what is behind one that is not passed is not passed either.
    while let mark = held.first?.mark, mark.isPassed { held.removeFirst() }
    var mark: LaneMark?
    for i in held.indices where held[i].mark == nil {
      guard isKnownUniquelyReferenced(&held[i].groups) else { continue }
      if mark == nil { mark = try LaneMark(self) }
      held[i].mark = mark
    }
    held.append((groups, nil))
  }

  /// Milliseconds that the operations of `body` take on the device.
  package func time(_ body: () throws(ComputeError) -> Void) throws(ComputeError) -> Float {
    device.enter()
    let driver = device.driver
    try driver.check(driver.table.event_record(start, stream), "starting a clock")
    try body()
    try driver.check(driver.table.event_record(end, stream), "stopping a clock")
    try driver.check(driver.table.event_synchronize(end), "running on the GPU")
    var milliseconds: Float = 0
    try driver.check(
      unsafe driver.table.event_elapsed(&milliseconds, start, end), "reading a clock")
    return milliseconds
  }

  /// A kernel's argument.
  enum Argument {
    case address(UInt)
    case int(Int)
    case float(Float)

    case double(Double)

    static func tensor(_ tensor: Tensor) -> Argument { .address(tensor.address) }
    /// 64 bits.
    static func count(_ count: Int) -> Argument { .address(UInt(count)) }
  }

  /// Starts a kernel; an empty grid starts nothing.
  func launch(
    _ kernel: Kernel, grid: (x: Int, y: Int), block: Int, sharedBytes: Int = 0,
    _ list: [Argument]
  ) throws(ComputeError) {
    guard grid.x > 0, grid.y > 0 else { return }
    precondition(list.count <= 32)
    try kernel.grant(sharedBytes: sharedBytes)
    for (i, argument) in list.enumerated() {
      switch argument {
      case .address(let value):
        unsafe arguments.storeBytes(of: UInt64(value), toByteOffset: 8 * i, as: UInt64.self)
      case .int(let value):
        unsafe arguments.storeBytes(of: Int32(value), toByteOffset: 8 * i, as: Int32.self)
      case .float(let value):
        unsafe arguments.storeBytes(of: value, toByteOffset: 8 * i, as: Float.self)
      case .double(let value):
        unsafe arguments.storeBytes(of: value, toByteOffset: 8 * i, as: Double.self)
      }
    }
    device.enter()
    try device.driver.check(
      unsafe device.driver.table.launch(
        kernel.function, UInt32(grid.x), UInt32(grid.y), 1, UInt32(block), 1, 1,
        UInt32(sharedBytes), stream, argumentAddresses, nil), "starting a kernel")
  }
}
