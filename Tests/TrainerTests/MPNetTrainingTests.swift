import Compute
import ComputeCPU
import Foundation
import Model
import TestSupport
import Testing

@testable import Trainer

/// A skip base with relative biases, positions behind the padding and no token types, in training.
@Suite struct MPNetTrainingTests {
  private static let depth = 1

  private static func configuration(skip: Int) -> Configuration {
    Configuration(
      vocabularySize: 20, hiddenSize: 8, layerCount: 3, headCount: 2, intermediateSize: 12,
      maxPositions: 14, tokenTypes: 0, layerNormEpsilon: 1e-5, skipDepth: skip,
      architecture: .mpnet)
  }

  private static func weights(_ configuration: Configuration) -> MemoryTensors {
    var tensors = MemoryTensors()
    for (name, shape) in configuration.tensors {
      var random = SeededGenerator(seed: name.utf8.reduce(1) { $0 &* 31 &+ UInt64($1) })
      let centre: Float = name.hasSuffix("LayerNorm.weight") || name == "norm.weight" ? 1 : 0
      tensors.set(
        name, shape: shape,
        (0..<shape.reduce(1, *)).map { _ in centre + Float.random(in: -0.6..<0.6, using: &random) })
    }
    return tensors
  }

  private let batch: PackedBatch

  init() throws {
    batch = try PackedBatch(
      [
        ([0, 5, 6, 7, 2], [0, 0, 0, 0, 0]), ([0, 2], [0, 0]),
        ([0, 9, 9, 3, 4, 2, 2, 11, 5, 6, 2], [Int32](repeating: 0, count: 11)),
      ], for: Self.configuration(skip: 0))
  }

  private func random(_ count: Int) -> [Float] {
    var random = SeededGenerator(seed: 3)
    return (0..<count).map { _ in Float.random(in: -1..<1, using: &random) }
  }

  /// The products of all states with fixed numbers, and those as the gradients there.
  private func run(_ training: BaseTraining) throws -> Double {
    try training.accumulate(batch) { seen throws(ComputeError) in
      var sum = 0.0
      for (state, gradient) in zip(seen.states, seen.gradients) {
        let r = random(state.count)
        try training.backend.upload(r, to: gradient)
        for (a, b) in zip(r, try training.backend.download(state)) { sum += Double(a) * Double(b) }
      }
      return sum
    }
  }

  private func training(_ tensors: MemoryTensors, scope: BaseTraining.Scope = .all) throws
    -> BaseTraining
  {
    try BaseTraining(
      source: tensors, configuration: Self.configuration(skip: Self.depth), scope: scope,
      backend: try CPUBackend(threads: 2), tokenBudget: 32)
  }

  @Test(arguments: [
    RelativeBias.tensorName, "embeddings.position_embeddings.weight",
    "embeddings.position_embeddings2.weight", "embeddings.word_embeddings.weight",
  ])
  func gradientsAreTheDifferences(_ name: String) throws {
    let tensors = Self.weights(Self.configuration(skip: Self.depth))
    let plain = try training(tensors)
    _ = try run(plain)
    let gradient = try plain.parameters.gradient(of: name)
    let (shape, values) = (try tensors.shape(name), try tensors.floats(name))
    let largest = gradient.reduce(0) { max($0, abs($1)) }
    #expect(largest > 0.01)
    for i in values.indices where i % 3 == 0 {
      let both = try [Float(0.01), -0.01].map { step in
        var (changed, other) = (values, tensors)
        changed[i] += step
        other.set(name, shape: shape, changed)
        return try run(try training(other))
      }
      let difference = Float((both[0] - both[1]) / 0.02)
      #expect(abs(difference - gradient[i]) < 0.01 * largest + 2e-3, "\(name) \(i)")
    }
  }

  /// What two passes leave is the sum of what each leaves.
  @Test func biasGradientsAddUp() throws {
    let training = try training(Self.weights(Self.configuration(skip: Self.depth)))
    _ = try run(training)
    let once = try training.parameters.gradient(of: RelativeBias.tensorName)
    _ = try run(training)
    let twice = try training.parameters.gradient(of: RelativeBias.tensorName)
    #expect(zip(once, twice).allSatisfy { abs(2 * $0 - $1) < 1e-4 * (1 + abs($1)) })
  }

  /// Training computes what inference does; a domain's training leaves the biases as they are.
  @Test func statesAreInferences() throws {
    let configuration = Self.configuration(skip: Self.depth)
    let tensors = Self.weights(configuration)
    let backend = try CPUBackend(threads: 2)
    let base = try BaseModel(source: tensors, configuration: configuration, backend: backend)
    let upper = try UpperEncoder(base: base, backend: backend, tokenBudget: 32)
    let local = try LocalEncoder(base: base, backend: backend)
    let (rows, owner) = try local.lookup(batch.grams)
    let expected = try backend.download(
      upper.states(of: batch, rows: rows, sequences: try backend.place(batch.layout)))
    withExtendedLifetime(owner) {}
    let training = try training(tensors, scope: .local)
    let found = try training.withStates(of: batch) { seen throws(ComputeError) in
      try training.backend.download(seen.states[seen.states.count - 1])
    }
    #expect(zip(expected, found).allSatisfy { abs($0 - $1) < 1e-5 })
    #expect(training.parameters[RelativeBias.tensorName] == nil)
  }

  /// The teacher and a student that is its equal but for what skipping costs: the loss is that of the
  /// scores alone where nothing is skipped over.
  @Test func aTeacherIsInferenceToo() throws {
    let configuration = Self.configuration(skip: 0)
    let tensors = Self.weights(configuration)
    let backend = try CPUBackend(threads: 2)
    let base = try BaseModel(source: tensors, configuration: configuration, backend: backend)
    let upper = try UpperEncoder(base: base, backend: backend, tokenBudget: 32)
    let expected = try backend.download(
      upper.states(of: batch, sequences: try backend.place(batch.layout)))
    let teacher = try Teacher(
      source: tensors, configuration: configuration, backend: backend, tokenBudget: 32)
    let lesson = try teacher.teach(batch, depth: 1)
    let found = try backend.download(lesson.states[lesson.states.count - 1])
    #expect(zip(expected, found).allSatisfy { abs($0 - $1) < 1e-5 })
  }

  /// What errors are divided by is the variance of all of a layer's values.
  @Test func variancesAreTheTeachers() throws {
    let configuration = Self.configuration(skip: 0)
    let backend = try CPUBackend(threads: 2)
    let teacher = try Teacher(
      source: Self.weights(configuration), configuration: configuration, backend: backend,
      tokenBudget: 32)
    let sequences = try (0..<batch.layout.count).map { i in
      let ids = Array(batch.ids.values[batch.layout.rows(of: i)])
      return try TokenSequence(ids: ids, types: ids.map { _ in 0 }, for: configuration)
    }
    let found = try DistillationMeasure(sequences, budget: 12)
      .variances(of: teacher, depth: 1, backend: backend)
    let lesson = try teacher.teach(batch, depth: 1)
    #expect(found.count == lesson.states.count)
    for (place, state) in lesson.states.enumerated() {
      let values = try backend.download(state).map(Double.init)
      let mean = values.reduce(0, +) / Double(values.count)
      let expected = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
      #expect(abs(found[place] - expected) < 1e-4 * expected)
    }
  }
}
