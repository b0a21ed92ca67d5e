package import Compute
internal import Manager
package import Model

/// The step that distillation repeats, over and over on a few made-up batches: the teacher's layers
/// forward, the student's upper layers and its local layers over distinct n-grams forward and
/// backward, squared errors of the states, AdamW. Batches are prepared beforehand, as a thread beside
/// the step does it in earnest.
package final class DistillationBench {
  private let teacher: Teacher
  private let student: BaseTraining
  private let backend: any TrainableBackend
  private let value: DeviceBuffer
  private var batches: [(packed: PackedBatch, local: LocalBatch)] = []
  private var steps = 0
  /// Mean over the batches.
  package private(set) var tokens = 0.0
  /// Distinct n-grams of a batch by its tokens.
  package private(set) var distinctShare = 0.0

  /// `source` gives both models' tensors; `tokens` a batch.
  package init(
    source: any TensorSource, teacher: Configuration, student: Configuration,
    backend: any TrainableBackend, tokens: Int
  ) throws {
    self.backend = backend
    self.teacher = try Teacher(
      source: source, configuration: teacher, backend: backend, tokenBudget: tokens)
    self.student = try BaseTraining(
      source: source, configuration: student, freezesWords: true, backend: backend,
      tokenBudget: tokens)
    value = try backend.allocate(byteCount: 64)
    var (random, distinct) = (SplitMix(seed: 5), DistinctNGrams())
    for _ in 0..<4 {
      let packed = try Self.text(tokens: tokens, student, &random)
      let local = try LocalBatch(
        packed.grams, vocabulary: packed.ids.bound, layout: packed.layout, distinct: &distinct)
      batches.append((packed, local))
      self.tokens += Double(packed.ids.count) / 4
      distinctShare += Double(distinct.count) / Double(packed.ids.count) / 4
    }
  }

  /// Sequences of 32 to 96 tokens, in which a token is mostly followed by one of a few, as in text.
  private static func text(
    tokens: Int, _ model: Configuration, _ random: inout SplitMix
  ) throws -> PackedBatch {
    var sequences: [TokenSequence] = []
    var count = 0
    let vocabulary = model.vocabularySize
    func skewed(_ random: inout SplitMix, _ limit: Int) -> Int {
      let u = random.nextFloat()
      return min(limit - 1, Int(Float(limit) * u * u * u * u))
    }
    while true {
      let length = 32 + Int(random.next() % 65)
      guard count + length <= tokens else { return PackedBatch(sequences: sequences) }
      var ids: [Int32] = []
      var token = skewed(&random, vocabulary - 1)
      for _ in 0..<length {
        let follows = random.nextFloat() < 0.8
        let place = follows ? token &* 31 &+ 7 &* skewed(&random, 32) : skewed(&random, 1 << 30)
        token = follows ? place % (vocabulary - 1) : skewed(&random, vocabulary - 1)
        ids.append(Int32(token + 1))
      }
      sequences.append(
        try TokenSequence(ids: ids, types: [Int32](repeating: 0, count: length), for: model))
      count += length
    }
  }

  /// The parts of a step, in order.
  package enum Part: String, CaseIterable, Sendable {
    case teacher, student, optimiser
  }

  /// One step; `done` hears when each part has been handed to the device.
  package func step(_ done: (Part) throws(ComputeError) -> Void = { _ in }) throws(ComputeError) {
    let batch = batches[steps % batches.count]
    steps += 1
    let lesson = try teacher.teach(batch.packed, depth: student.configuration.skipDepth)
    try done(.teacher)
    try student.parameters.clearGradients()
    let value = value.tensor(rows: 1, columns: 1)
    _ = try student.accumulate(batch.packed, local: batch.local) { seen throws(ComputeError) in
      for (place, state) in seen.states.enumerated() {
        try self.backend.squaredLoss(
          state, targets: lesson.states[place], share: 1 / Double(state.count),
          into: seen.gradients[place], addingTo: value)
      }
      return 0
    }
    try done(.student)
    try Optimizer().step(student.parameters, number: steps, rate: 1e-4)
    try done(.optimiser)
  }

  /// The sum of the losses of all steps so far.
  package func loss() throws(ComputeError) -> Float {
    try backend.download(value.tensor(rows: 1, columns: 1))[0]
  }

  /// Starts the sum of the losses anew.
  package func clearLoss() throws(ComputeError) {
    try backend.fill(value.tensor(rows: 1, columns: 1), with: 0)
  }

  /// Floating-point operations of the matrix products that a token needs, attention's among them.
  package var operationsPerToken: Double {
    let c = student.configuration
    let layer =
      2.0 * Double(4 * c.hiddenSize * c.hiddenSize + 2 * c.hiddenSize * c.intermediateSize)
    let attention = 4.0 * 64 * Double(c.hiddenSize)
    let upper = Double(c.upperLayers.count)
    let local = 3 * distinctShare * Double(c.skipDepth)
    return Double(c.layerCount) * (layer + attention) + 3 * upper * (layer + attention)
      + 3 * local * layer
  }
}
