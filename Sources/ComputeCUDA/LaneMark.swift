internal import CCUDA
package import Compute

/// A point in a lane's order of operations: another lane may wait for it, the host may ask for it.
@safe package final class LaneMark: @unchecked Sendable {
  private let device: CUDADevice
  private let event: UInt64

  /// The point after every operation of `lane` so far.
  package init(_ lane: CUDABackend) throws(ComputeError) {
    device = lane.device
    device.enter()
    var event: UInt64 = 0
    let table = device.driver.table
    try device.driver.check(
      unsafe table.event_create(&event, DriverNumber.eventWithoutTime), "making an event")
    self.event = event
    try device.driver.check(table.event_record(event, lane.stream), "marking a lane")
  }

  deinit {
    device.enter()
    _ = device.driver.table.event_destroy(event)
  }

  /// Moves the mark to the point after every operation of `lane` so far.
  func move(to lane: CUDABackend) throws(ComputeError) {
    device.enter()
    try device.driver.check(device.driver.table.event_record(event, lane.stream), "marking a lane")
  }

  /// Whether the lane has come by.
  var isPassed: Bool {
    device.enter()
    return device.driver.table.event_query(event) == 0
  }

  /// Later operations of `lane` begin when this point is passed; the host goes on.
  package func holdBack(_ lane: CUDABackend) throws(ComputeError) {
    device.enter()
    try device.driver.check(
      device.driver.table.stream_wait(lane.stream, event, 0), "waiting for a lane")
  }

  /// Returns when the lane has come by.
  package func wait() throws(ComputeError) {
    device.enter()
    try device.driver.check(device.driver.table.event_synchronize(event), "running on the GPU")
  }
}
