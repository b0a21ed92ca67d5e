import Compute
import ComputeCPU
import Model
import TestSupport
import Testing
import Trainer

/// Gradients of the whole model, through the n-gram part down to the embeddings.
@Suite("Whole-model training against the goldens", .enabled(if: Shared.exists, "\(Shared.missing)"))
struct BaseTrainingTests {
  /// sum over states of the mean squared error to distill_target.
  private func distill(_ tiny: TinyModel, _ training: BaseTraining) throws -> Double {
    let expected = try TinyModel.open("expected")
    let targets = try (0..<3).map { try packed(expected, "distill_target.\($0)", tiny) }
    return try training.accumulate(tiny.batch) { seen throws(ComputeError) in
      var loss = 0.0
      for ((state, gradient), target) in zip(zip(seen.states, seen.gradients), targets) {
        let wanted = seen.workspace.take(rows: state.rows, columns: state.columns)
        try training.backend.upload(target, to: wanted)
        loss += try training.backend.squaredLoss(
          state, targets: wanted, share: 1 / Double(state.count), into: gradient)
      }
      return loss
    }
  }

  /// The valid rows of a [6, T, hidden] tensor, packed.
  private func packed(_ file: SafetensorsFile, _ name: String, _ tiny: TinyModel) throws
    -> [Float]
  {
    let (shape, values) = (try file.shape(name), try file.floats(name))
    return (0..<shape[0]).flatMap { i in
      let start = i * shape[1] * shape[2]
      return values[start..<start + tiny.batch.layout.rows(of: i).count * shape[2]]
    }
  }

  /// Our tensor of a golden name: query, key and value are parts of one.
  private func gradient(_ name: String, _ training: BaseTraining) throws -> [Float] {
    for (part, target) in ["query", "key", "value"].enumerated()
    where name.contains("attention.self.\(target)") {
      let whole = try training.parameters.gradient(
        of: name.replacing("attention.self.\(target)", with: "attention.self.qkv"))
      return Array(whole[part * whole.count / 3..<(part + 1) * whole.count / 3])
    }
    if name == TinyModel.localPositions {
      let rows = 3 * training.configuration.hiddenSize
      return Array(
        try training.parameters.gradient(of: "embeddings.position_embeddings.weight")[..<rows])
    }
    return try training.parameters.gradient(of: TinyModel.ourName(name, task: .classify))
  }

  @Test func distillationWithoutAdapters() throws {
    let tiny = try TinyModel()
    let training = try BaseTraining(
      source: tiny.tensors, configuration: tiny.configuration, backend: tiny.backend,
      tokenBudget: 64)
    let loss = try distill(tiny, training)
    #expect(abs(loss - (tiny.file.losses["distill_plain"] ?? 0)) < 1e-5)
    let expected = try TinyModel.open("grads_distill_plain")
    for name in expected.names {
      let difference = largestDifference(
        try gradient(name, training), try expected.floats(name))
      #expect(difference < 1e-5, "\(name)")
    }
  }

  @Test func distillationWithAdapters() throws {
    let tiny = try TinyModel()
    let adapters = try AdapterFile.layout(
      tiny.spec(.bottleneck(width: 8, sites: AdapterSite.allCases)), base: tiny.configuration
    ).map { ParameterSet.Initial($0.name, shape: $0.shape, try tiny.tensors.floats($0.name)) }
    let training = try BaseTraining(
      source: tiny.tensors, configuration: tiny.configuration, extra: adapters,
      backend: tiny.backend, tokenBudget: 64)
    let loss = try distill(tiny, training)
    #expect(abs(loss - (tiny.file.losses["distill"] ?? 0)) < 1e-5)
    let expected = try TinyModel.open("grads_distill")
    for name in expected.names where !name.hasPrefix("tagger") {
      let values = try expected.floats(name)
      let largest = values.reduce(0) { max($0, abs($1)) }
      let difference = largestDifference(try gradient(name, training), values)
      #expect(difference < 1e-5 * max(1, largest), "\(name)")
    }
  }
}
