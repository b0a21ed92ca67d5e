import Compute
import ComputeCPU
import Foundation
import Manager
import Model
import TestSupport
import Testing

@testable import Trainer

/// Whole distillation runs on a small random base.
@Suite struct DistillationTests {
  private static let words = ["red", "blue", "green", "cat", "dog", "runs", "sleeps", "the"]

  /// A dense base of three layers, one of which the student skips, and a text of 300 lines.
  private struct World {
    var configuration: Configuration
    let source: MemoryTensors
    let tokenizer: WordPiece
    let directory: URL
    var corpus: [String] { [directory.appending(path: "text.txt").path()] }

    init() throws {
      let vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"] + DistillationTests.words
      tokenizer = try WordPiece(
        tokenizerJSON: nil, vocabulary: Array((vocabulary.joined(separator: "\n") + "\n").utf8),
        configuration: nil)
      configuration = Configuration(
        vocabularySize: vocabulary.count, hiddenSize: 24, layerCount: 3, headCount: 3,
        intermediateSize: 40, maxPositions: 16, skipDepth: 0)
      var random = SeededGenerator(seed: 5)
      var source = MemoryTensors()
      for (name, shape) in configuration.tensors {
        let isScale = name.hasSuffix("orm.weight")
        source.set(
          name, shape: shape,
          (0..<shape.reduce(1, *)).map { _ in
            (isScale ? 1 : 0) + Float.random(in: -0.3...0.3, using: &random)
          })
      }
      self.source = source
      configuration.skipDepth = 1
      directory = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
      try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
      let lines = (0..<300).map { _ in
        (0..<Int.random(in: 2...12, using: &random)).map { _ in
          DistillationTests.words.randomElement(using: &random) ?? "the"
        }.joined(separator: " ")
      }
      try Data((lines.joined(separator: "\n") + "\n").utf8).write(
        to: URL(filePath: corpus[0]))
    }

    var options: DistillationOptions {
      var options = DistillationOptions()
      (options.budget, options.rate, options.warmup) = (256, 5e-3, 5)
      options.mix.maxLength = 16
      options.linesPerRound = 64
      options.weights.values = 0.05
      return options
    }

    func distillation(threads: Int = 2, scope: BaseTraining.Scope = .all) throws -> Distillation {
      var dense = configuration
      dense.skipDepth = 0
      return try Distillation(
        teacher: source, start: try SkipStart(source, dense, depth: 1),
        configuration: configuration, scope: scope, tokenizer: tokenizer, corpus: corpus,
        options: options, devLines: 8, threads: threads, backend: try CPUBackend(threads: threads))
    }
  }

  @Test func comesNearTheTeacher() throws {
    let world = try World()
    let distillation = try world.distillation()
    try distillation.run(until: .init(tokens: 40_000), every: 40)
    let curve = distillation.state.curve
    let (first, last) = (try #require(curve.first), try #require(curve.last))
    #expect(first.loss == nil && last.step == distillation.state.step)
    #expect(last.devLoss < 0.3 * first.devLoss, "\(curve.map(\.devLoss))")
    #expect(last.cosine > first.cosine && last.cosine > 0.98, "\(curve.map(\.cosine))")
    // What is learnt is all of a skip base but the words, in its shapes.
    let tensors = try distillation.tensors()
    for (name, shape) in world.configuration.tensors
    where name != "embeddings.word_embeddings.weight" {
      #expect(try tensors.shape(name) == shape, "\(name)")
    }
    #expect(tensors.names.count == world.configuration.tensors.count - 1)
  }

  /// A domain's local layers learn alone; nothing above them changes.
  @Test func localLayersAlone() throws {
    let world = try World()
    let distillation = try world.distillation(scope: .local)
    try distillation.run(until: .init(tokens: 20_000), every: 40)
    let curve = distillation.state.curve
    let (first, last) = (try #require(curve.first), try #require(curve.last))
    #expect(last.devLoss < 0.8 * first.devLoss, "\(curve.map(\.devLoss))")
    let names = try distillation.tensors().names
    #expect(names.contains("attn.weight") && names.contains("encoder.layer.0.output.dense.weight"))
    #expect(!names.contains { $0.contains("layer.1.") || $0.hasPrefix("norm.") })
    #expect(!names.contains { $0.contains("embeddings2") || $0.contains("word_embeddings") })
  }

  /// To the bit: the same run again, on one thread, and stopped and gone on from its checkpoint.
  @Test func stoppedAndResumedIsTheSame() throws {
    let world = try World()
    let limit = DistillationLimit(tokens: 6_000)
    let whole = try world.distillation(threads: 1)
    try whole.run(until: limit, every: 7)

    let path = world.directory.appending(path: "checkpoint.safetensors").path()
    let origin = DistillationOrigin(teacher: "t", depth: 1, options: world.options)
    struct Stop: Error {}
    let stopped = try world.distillation()
    #expect(throws: Stop.self) {
      try stopped.run(
        until: limit, every: 7,
        save: {
          try stopped.save(to: path, origin: origin)
          if stopped.state.step >= 14 { throw Stop() }
        })
    }
    let resumed = try world.distillation()
    try resumed.resume(from: path, origin: origin)
    #expect(resumed.state.step == 14)
    try resumed.run(until: limit, every: 7)
    #expect(resumed.state.tokens == whole.state.tokens)
    let (a, b) = (try whole.tensors(), try resumed.tensors())
    for name in a.names { #expect(try a.floats(name) == b.floats(name), "\(name)") }

    let bytes = [UInt8](try Data(contentsOf: URL(filePath: path)))
    for place in [bytes.count - 1, bytes.count / 2] {
      var damaged = bytes
      damaged[place] ^= 1
      try Data(damaged).write(to: URL(filePath: path))
      #expect(throws: SealError.damaged(path: path)) {
        try world.distillation().resume(from: path, origin: origin)
      }
    }
    try Data(bytes).write(to: URL(filePath: path))

    var other = origin
    other.options.rate = 1
    #expect(throws: CheckpointError.another(path: path)) {
      try world.distillation().resume(from: path, origin: other)
    }
  }

  /// The gradient of the whole loss, relations and pooled states too, by central differences.
  @Test func gradients() throws {
    let world = try World()
    let backend = try CPUBackend(threads: 2)
    var dense = world.configuration
    dense.skipDepth = 0
    let teacher = try Teacher(
      source: world.source, configuration: dense, backend: backend, tokenBudget: 64)
    let start = try SkipStart(world.source, dense, depth: 1)
    var weights = DistillationOptions.LossWeights()
    (weights.scores, weights.values) = (0.3, 0.2)
    let loss = DistillationLoss(weights: weights, backend: backend, heads: 3)
    let batch = try PackedBatch(
      [([2, 4, 7, 9, 3], [0, 0, 0, 0, 0]), ([2, 5, 3], [0, 0, 1])], for: world.configuration)
    let lesson = try teacher.teach(batch, depth: 1)

    let counter = try LossCounter(backend)
    func run(_ student: BaseTraining) throws -> Double {
      try student.accumulate(
        batch,
        relate: { seen, place, dqkv throws(ComputeError) in
          try loss.relations(
            seen, lesson, place: place, addingTo: dqkv, value: counter.value)
        },
        loss: { seen throws(ComputeError) in
          try loss.states(seen, lesson, addingTo: counter.value)
        })
      return try counter.take()
    }
    func student() throws -> BaseTraining {
      try BaseTraining(
        source: start, configuration: world.configuration, freezesWords: true, backend: backend,
        tokenBudget: 64, lossBytes: DistillationLoss.bytes(rows: 64, hidden: 24))
    }
    let trained = try student()
    _ = try run(trained)
    for (name, element) in [
      ("encoder.layer.0.attention.self.qkv.weight", 30), ("attn.bias", 0), ("norm.weight", 3),
      ("encoder.layer.1.attention.self.qkv.weight", 100),
      ("encoder.layer.1.attention.self.qkv.weight", 48 * 24 + 5),
      ("encoder.layer.2.attention.self.qkv.weight", 24 * 24 + 7),
      ("encoder.layer.2.output.dense.weight", 11), ("encoder.layer.1.intermediate.dense.bias", 4),
      ("embeddings.position_embeddings2.weight", 25), ("embeddings.LayerNorm.bias", 2),
    ] {
      let gradient = Double(try trained.parameters.gradient(of: name)[element])
      func moved(_ by: Float) throws -> Double {
        let other = try student()
        var values = try other.parameters.value(of: name)
        values[element] += by
        try backend.upload(values, to: other.parameters.require(name).value)
        return try run(other)
      }
      let h: Float = 4e-3
      let difference = (try moved(h) - moved(-h)) / Double(2 * h)
      #expect(abs(gradient) > 1e-5, "\(name)")
      #expect(abs(gradient - difference) < 1e-3 * max(0.05, abs(gradient)), "\(name)")
    }
  }
}
