import Foundation
package import Model

/// What a head's learning rate should be of the adapters'.
package enum HeadRate {
  /// The root mean square of MiniLM-L6's last states, by its last normalisation: the rates of
  /// `TrainingOptions.rate` were found there, for heads and adapters alike.
  private static let known: Float = 0.645
  private static let most: Float = 25

  /// What suits a frozen base. Where its last states are small, as all-mpnet-base-v2's are (0.14), a head
  /// moves too slowly: what it says changes by rate x states a step, and what it hears of a difference
  /// between states is small too. So by the square; 1 for states that are not small. From the last
  /// LayerNorm's weights and biases: sqrt(mean(w^2 + b^2)) is the states' root mean square where what is
  /// normalised has mean 0 and variance 1 in every channel. Throws what reading does.
  package static func suiting(
    _ source: any TensorSource, _ configuration: Configuration
  ) throws -> Float {
    let layer = "encoder.layer.\(configuration.layerCount - 1).output.LayerNorm"
    let hidden = configuration.hiddenSize
    let values = try ["weight", "bias"].flatMap {
      try source.floats("\(layer).\($0)", shape: [hidden])
    }
    let square = values.reduce(0) { $0 + $1 * $1 } / Float(hidden)
    guard square.isFinite, square > 0 else { return 1 }
    return min(most, max(1, (known * known / square).rounded()))
  }
}
