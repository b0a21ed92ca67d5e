import Compute

extension Device {
  /// A lane that can train. Throws `ComputeError.unsupported` for a device that only computes.
  func trainer(threads: Int?) throws(ComputeError) -> any RelationBackend {
    let lane = try lane(threads: threads)
    guard let trainer = lane as? any RelationBackend else {
      throw .unsupported("training on \(lane.name); use --device cpu")
    }
    return trainer
  }
}
