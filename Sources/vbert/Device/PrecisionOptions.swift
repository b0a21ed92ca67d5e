import ArgumentParser
import ComputeCPU

/// How the products with a base's matrices are to be computed.
enum PrecisionChoice: String, ExpressibleByArgument, CaseIterable {
  case fp32, bf16, int8
  /// What a measurement on the base's shapes finds faster.
  case auto
}

/// What the verbs take that run a base and train nothing.
struct PrecisionOptions: ParsableArguments {
  @Option(
    help: """
      The base's products on a CPU: fp32, bf16, int8, or auto, which measures them at the start and \
      says what it chose. Adapters, heads and tables of n-grams stay as they are.
      """)
  var precision = PrecisionChoice.fp32
}
