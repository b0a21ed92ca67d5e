/// What a backend can fail with. Wrong shapes are our own bugs and trap; these are the world's doing.
package enum ComputeError: Error, Equatable, CustomStringConvertible {
  /// The device has no room left; `flag` names the setting to lower.
  case outOfMemory(requestedBytes: Int, flag: String)
  /// The device or its driver reported a failure.
  case device(String)
  /// The backend does not offer what was asked for on this machine.
  case unsupported(String)
  /// A row was asked for that the table has not.
  case index(Int32, rows: Int)
  /// Whoever asked for the result is gone; the rest was left out.
  case abandoned

  package var description: String {
    switch self {
    case .outOfMemory(let bytes, let flag):
      "out of device memory: \(bytes) more bytes were needed; lower \(flag)"
    case .device(let what): "device error: \(what)"
    case .unsupported(let what): "not supported here: \(what)"
    case .index(let index, let rows): "\(index) is no row of a table of \(rows)"
    case .abandoned: "nobody waits for the result any more"
    }
  }
}
