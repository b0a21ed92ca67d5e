import ArgumentParser
import Model

/// Where to compute.
enum DeviceChoice: Equatable, ExpressibleByArgument, CustomStringConvertible {
  case cpu
  /// The GPU of that number, as `vbert devices` counts.
  case cuda(Int)

  init?(argument: String) {
    switch argument {
    case "cpu": self = .cpu
    case "cuda": self = .cuda(0)
    default:
      let digits = argument.dropFirst(5)
      guard argument.hasPrefix("cuda:"), digits.allSatisfy(\.isNumber), let n = Int(digits),
        n < 1024
      else { return nil }
      self = .cuda(n)
    }
  }

  var description: String {
    switch self {
    case .cpu: "cpu"
    case .cuda(let number): "cuda:\(number)"
    }
  }

  var defaultValueDescription: String { description }
}

/// What every verb that computes takes.
struct DeviceOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Where to compute: cpu, cuda, or cuda:1 for the second GPU.", valueName: "cpu|cuda[:n]"))
  var device = DeviceChoice.cpu
  @Option(
    help: ArgumentHelp(
      """
      Look here first for libnvrtc and libcublasLt; may be repeated. vbert devices says where they \
      were found.
      """, valueName: "dir"))
  var cudaLibraries: [String] = []
}

extension TruncationSide: ExpressibleByArgument {
  /// left or right, however it is written.
  public init?(argument: String) {
    switch argument.lowercased() {
    case "left": self = .left
    case "right": self = .right
    default: return nil
    }
  }
}
