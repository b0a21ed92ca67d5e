import ArgumentParser
import ComputeCPU
import Foundation

/// How the products with the frozen base's matrices, forward and back, are computed in training;
/// what is trained stays fp32. int8 is none of these: gradients would not survive it.
enum TrainingPrecision: String, ExpressibleByArgument, CaseIterable {
  case fp32, bf16
  /// bf16 where the processor multiplies it twice as fast, else fp32. Not measured: the same seed must
  /// give the same result however busy the machine is.
  case auto

  /// The choice for a device, said on stderr where it was `auto`'s. Throws
  /// `ComputeError.unsupported` for a wrong `VBERT_CPU`.
  func choice(on device: DeviceOptions) throws -> PrecisionChoice {
    switch self {
    case .fp32: return .fp32
    case .bf16: return .bf16
    case .auto:
      guard device.device == .cpu else { return .fp32 }
      let set = try InstructionSet.chosen()
      let choice = set.hasBFloat16 ? PrecisionChoice.bf16 : .fp32
      let why = set.hasBFloat16 ? "multiplies bf16 at twice the speed" : "has no bf16 products"
      FileHandle.standardError.write(
        Data(
          "--precision auto: \(choice.rawValue), since this processor (\(set.rawValue)) \(why)\n"
            .utf8))
      return choice
    }
  }
}

/// What the verbs take that train adapters.
struct TrainingPrecisionOptions: ParsableArguments {
  @Option(
    help: """
      The frozen base's products on a CPU: fp32, bf16, or auto: bf16 where the processor has it. \
      What is trained stays fp32.
      """)
  var precision = TrainingPrecision.auto
}
