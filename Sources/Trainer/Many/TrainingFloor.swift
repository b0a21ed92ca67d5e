package import Model

/// What training takes on a base whoever trains: an estimate from above, made of the base's shape.
package struct TrainingFloor: Sendable, Equatable {
  /// For as long as the base is open.
  package let base: TrainingBytes
  /// Bytes of the data files' rows while they are read.
  package let reading: Int

  /// The program and its libraries.
  static let program = 64 << 20
  /// A line of the list: its request, and what is kept of its result.
  static let line = 1536
  /// What a row takes until it is tokens, as a multiple of its line; and of a compressed file's bytes.
  static let (textFactor, packedFactor) = (12, 60)

  /// Of a list of so many lines. `rowCache`: bytes of computed n-gram rows that are kept.
  package init(_ base: Configuration, lines: Int, rowCache: Int, memory: TrainingMemory) {
    let weights = Self.floats(base.tensors.map(\.shape))
    reading = min(256 << 20, memory.host / 16)
    let host = Self.program + Self.line * lines + rowCache + reading + weights
    // The encoder's own matrices, and those of the upper layers for both directions.
    self.base = TrainingBytes(host: host, device: 3 * weights)
  }

  /// Bytes of tensors in fp32.
  static func floats(_ shapes: [[Int]]) -> Int {
    shapes.reduce(0) { $0 + $1.reduce(1, *) } * MemoryLayout<Float>.size
  }

  /// Tokens of a batch: as many as are asked for, and as a quarter of the device's memory holds, but never
  /// fewer than a vBERT that trains alone takes at once: results must not depend on the memory.
  package static func tokens(
    _ wanted: Int, atLeast least: Int, scratch: TrainingBytes, memory: TrainingMemory
  ) -> Int {
    let most = memory.device / 4 / max(1, scratch.device)
    return max(least, min(wanted, most))
  }

  /// Scratch of so many tokens, in the encoder that enters and in the one that trains.
  package static func scratch(
    tokens: Int, _ spec: VBertSpec, base: Configuration
  ) -> TrainingBytes {
    let training = TrainingEncoder.workspaceBytes(
      rows: tokens, layers: base.upperLayers.count, adapter: spec.adapter,
      outputs: spec.task.outputs(labels: spec.labels.count), configuration: base)
    let entering = UpperEncoder.workspaceBytes(rows: tokens, configuration: base)
    return TrainingBytes(device: training + entering)
  }
}
