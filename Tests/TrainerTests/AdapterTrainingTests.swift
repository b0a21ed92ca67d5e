import Compute
import ComputeCPU
import Model
import TestSupport
import Testing
import Trainer

/// Losses, gradients and optimiser steps of adapters and heads against the goldens.
@Suite("Adapter training against the goldens", .enabled(if: Shared.exists, "\(Shared.missing)"))
struct AdapterTrainingTests {
  /// One pass over all six sequences, `pieces` of them at a time.
  private func accumulate(
    _ tiny: TinyModel, _ training: AdapterTraining, pieces: Int = 6
  ) throws -> Double {
    let states = try tiny.states(training)
    var loss = 0.0
    for first in stride(from: 0, to: 6, by: pieces) {
      let batch = Array(first..<min(6, first + pieces))
      let isTag = training.spec.task == .tag
      let labels = isTag ? batch.flatMap { tiny.file.tags[$0] } : batch.map { tiny.file.labels[$0] }
      loss += try states.withStates(of: batch) { x, layout in
        try training.accumulate(
          x, layout: layout, targets: .classes(labels, weights: nil),
          share: isTag ? tiny.tagShare : 1.0 / 6)
      }
    }
    return loss
  }

  private func expectGradients(
    _ training: AdapterTraining, _ golden: String, _ task: VBertTask, count: Int
  ) throws {
    let expected = try TinyModel.open(golden)
    var compared = 0
    for name in expected.names {
      let ours = TinyModel.ourName(name, task: task)
      guard training.own[ours] != nil else { continue }
      let values = try expected.floats(name)
      let difference = largestDifference(try training.own.gradient(of: ours), values)
      let largest = values.reduce(0) { max($0, abs($1)) }
      #expect(difference <= 1e-5 * max(1, largest), "\(name)")
      compared += 1
    }
    #expect(compared == count)
  }

  /// The whole batch at once, and cut into parts whose gradients add up.
  @Test(arguments: [6, 2]) func classification(pieces: Int) throws {
    let tiny = try TinyModel()
    let both = AdapterSpec.bottleneck(width: 8, sites: AdapterSite.allCases)
    let training = try tiny.training(tiny.spec(both))
    let loss = try accumulate(tiny, training, pieces: pieces)
    #expect(abs(loss - (tiny.file.losses["cls"] ?? 0)) < 1e-5)
    try expectGradients(training, "grads_cls", .classify, count: 18)
  }

  /// The frozen base in bfloat16, forward and back: gradients keep their direction, and their length
  /// within what eight bits of mantissa leave of it.
  @Test(arguments: InstructionSet.supported)
  func baseInBFloat16(_ set: InstructionSet) throws {
    let tiny = try TinyModel(precision: .bf16, instructionSet: set)
    let both = AdapterSpec.bottleneck(width: 8, sites: AdapterSite.allCases)
    let training = try tiny.training(tiny.spec(both))
    let loss = try accumulate(tiny, training)
    #expect(abs(loss - (tiny.file.losses["cls"] ?? 0)) < 5e-3)
    let expected = try TinyModel.open("grads_cls")
    var compared = 0
    for name in expected.names {
      let ours = TinyModel.ourName(name, task: .classify)
      guard training.own[ours] != nil else { continue }
      let (found, wanted) = (
        try training.own.gradient(of: ours), try expected.floats(name)
      )
      func sum(_ a: [Float], _ b: [Float]) -> Float { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
      let lengths = (sum(found, found).squareRoot(), sum(wanted, wanted).squareRoot())
      #expect(sum(found, wanted) > 0.999 * lengths.0 * lengths.1, "\(name)")
      #expect(abs(lengths.0 - lengths.1) < 0.02 * lengths.1, "\(name)")
      compared += 1
    }
    #expect(compared == 18)
    // What is rounded is rounded: fp32's gradients are not what was measured here.
    #expect(abs(loss - (tiny.file.losses["cls"] ?? 0)) > 1e-7)
  }

  @Test func tagging() throws {
    let tiny = try TinyModel(task: .tag)
    let both = AdapterSpec.bottleneck(width: 8, sites: AdapterSite.allCases)
    let training = try tiny.training(tiny.spec(both, task: .tag))
    let loss = try accumulate(tiny, training)
    #expect(abs(loss - (tiny.file.losses["tag"] ?? 0)) < 1e-5)
    try expectGradients(training, "grads_tag", .tag, count: 18)
  }

  @Test func attentionSiteOnly() throws {
    let tiny = try TinyModel()
    let training = try tiny.training(tiny.spec(.bottleneck(width: 8, sites: [.attention])))
    let loss = try accumulate(tiny, training)
    #expect(abs(loss - (tiny.file.losses["cls_attn_site_only"] ?? 0)) < 1e-5)
  }

  @Test func lowRank() throws {
    let tiny = try TinyModel()
    let lora = AdapterSpec.lora(rank: 4, alpha: 8, targets: [.query, .value])
    let training = try tiny.training(tiny.spec(lora))
    let loss = try accumulate(tiny, training)
    #expect(abs(loss - (tiny.file.losses["cls_lora"] ?? 0)) < 1e-5)
    try expectGradients(training, "grads_cls_lora", .classify, count: 8)
  }

  @Test func threeSteps() throws {
    let tiny = try TinyModel()
    let both = AdapterSpec.bottleneck(width: 8, sites: AdapterSite.allCases)
    let training = try tiny.training(tiny.spec(both))
    var optimizer = Optimizer()
    optimizer.beta2 = 0.98
    for (number, step) in tiny.file.adamw.after3_adapters.steps.enumerated() {
      try training.own.clearGradients()
      let loss = try accumulate(tiny, training)
      let norm = try training.own.gradientNorm()
      try optimizer.step(training.own, number: number + 1, rate: 1e-2)
      #expect(abs(loss - step.loss) < 1e-5)
      #expect(abs(norm - step.grad_norm_before_clip) < 1e-4 * step.grad_norm_before_clip)
    }
    let expected = try TinyModel.open("after3_adapters")
    #expect(expected.names.count == 18)
    for name in expected.names {
      let ours = TinyModel.ourName(name, task: .classify)
      let difference = largestDifference(
        try training.own.value(of: ours), try expected.floats(name))
      #expect(difference < 5e-6, "\(name)")
    }
    let after = try accumulate(tiny, training)
    #expect(abs(after - tiny.file.adamw.after3_adapters.loss_after) < 1e-5)
  }

  /// LoRA beside every map, and each start of the pass: gradients by differences of the loss.
  @Test(
    arguments: [
      "lora:2@query,key,value,output,up,down", "lora:2@down", "lora:3@key,up",
      "bottleneck:3@ffn", "bottleneck:5", "none",
    ], Pooling.allCases) func everyKindByDifferences(adapter: String, pooling: Pooling) throws
  {
    let tiny = try TinyModel()
    var spec = tiny.spec(try AdapterSpec(parsing: adapter))
    spec.pooling = pooling
    // B and up are zero at first, where half of the gradients vanish: start elsewhere.
    var initial = MemoryTensors()
    var random = SeededGenerator(seed: 3)
    for (name, shape) in AdapterFile.layout(spec, base: tiny.configuration) {
      let values = (0..<shape.reduce(1, *)).map { _ in Float.random(in: -0.3...0.3, using: &random)
      }
      initial.set(name, shape: shape, values)
    }
    let training = try AdapterTraining(
      specs: [spec], initial: [initial], source: tiny.tensors, configuration: tiny.configuration,
      backend: tiny.backend, tokenBudget: 64)
    _ = try accumulate(tiny, training)
    let shapes = training.own.shapes
    #expect(!shapes.isEmpty)
    let gradients = try shapes.map { try training.own.gradient(of: $0.name) }
    for (shape, gradient) in zip(shapes, gradients) {
      guard let parameter = training.own[shape.name] else { continue }
      let values = try training.own.value(of: shape.name)
      // The largest component: differences in fp32 see little of a small one.
      let i = gradient.indices.max { abs(gradient[$0]) < abs(gradient[$1]) } ?? 0
      var losses: [Double] = []
      for step: Float in [1e-2, -1e-2] {
        var moved = values
        moved[i] += step
        try tiny.backend.upload(moved, to: parameter.value)
        losses.append(try accumulate(tiny, training))
      }
      try tiny.backend.upload(values, to: parameter.value)
      let slope = (losses[0] - losses[1]) / 2e-2
      #expect(abs(slope - Double(gradient[i])) < 2e-2 * max(abs(slope), 0.02), "\(shape.name)")
    }
  }
}

/// Largest absolute difference; infinite where the counts differ or a value is not a number.
func largestDifference(_ a: some Collection<Float>, _ b: some Collection<Float>) -> Float {
  guard a.count == b.count else { return .infinity }
  return zip(a, b).reduce(0) { largest, pair in
    let difference = abs(pair.0 - pair.1)
    return difference.isNaN ? .infinity : max(largest, difference)
  }
}
