import Compute
import ComputeCPU
import Model
import Testing

@testable import Trainer

/// What a vBERT gets when nobody says what: docs/accuracy.md was measured with these.
@Suite struct DefaultsTests {
  @Test func adaptersByHead() throws {
    let wide = try AdapterSpec(parsing: "lora:32@all")
    #expect(wide == (try AdapterSpec(parsing: "lora:32@query,key,value,output,up,down")))
    #expect(try AdapterSpec(parsing: "\(wide)") == wide)
    #expect(throws: SpecError.self) { try AdapterSpec(parsing: "lora:32@all,query") }
    for task in [VBertTask.classify, .multilabel, .score, .tag] {
      #expect(AdapterSpec.standard(for: task) == wide)
    }
    #expect(AdapterSpec.standard(for: .embed) == .none)
  }

  @Test(arguments: [
    (VBertTask.classify, "lora:32@all", Float(5e-4)), (.multilabel, "lora:32@all", 5e-4),
    (.score, "lora:32@all", 1e-3), (.tag, "lora:32@all", 1e-3),
    (.classify, "bottleneck:64@both", 1e-3), (.classify, "lora:8", 1e-3),
    (.embed, "lora:32@all", 3e-4), (.embed, "bottleneck:64@both", 3e-4),
  ])
  func ratesByHeadAndAdapter(task: VBertTask, adapter: String, rate: Float) throws {
    let spec = VBertSpec(
      task: task, base: "b", baseHash: "", adapter: try AdapterSpec(parsing: adapter))
    #expect(TrainingOptions.rate(for: spec) == rate)
  }

  /// MiniLM-L6's last states are those that rates were found with; all-mpnet-base-v2's are small. Figures
  /// of their last LayerNorms.
  @Test(arguments: [
    (Float(0.6447), Float(0.0310), Float(1)), (0.1338, 0.0167, 23), (0.9, 0.1, 1), (0.4, 0, 3),
    (1e-4, 0, 25), (0, 0, 1),
  ])
  func headRatesByTheSizeOfStates(weight: Float, bias: Float, rate: Float) throws {
    let base = Configuration(
      vocabularySize: 8, hiddenSize: 4, layerCount: 3, headCount: 2, intermediateSize: 8,
      maxPositions: 8, tokenTypes: 2, skipDepth: 1)
    var tensors = MemoryTensors()
    let norm = "encoder.layer.2.output.LayerNorm"
    tensors.set("\(norm).weight", shape: [4], [weight, -weight, weight, weight])
    tensors.set("\(norm).bias", shape: [4], [bias, bias, -bias, bias])
    #expect(try HeadRate.suiting(tensors, base) == rate)
  }

  /// A head trains faster than its adapter where that is said, and alone where nothing else is.
  @Test func headsHaveARateOfTheirOwn() throws {
    let world = try TrainingJobTests.World(skip: 1)
    let rows = TrainingJobTests.rows(16, { .label($0.contains("cat") ? "cat" : "none") })
    let (spec, examples) = try world.prepare(rows, task: .classify, adapter: "none")
    let backend = try CPUBackend(threads: 1)
    func head(rate: Float, headRate: Float?) throws -> [Float] {
      var options = TrainingOptions()
      (options.rate, options.headRate) = (rate, headRate)
      (options.epochs, options.batch, options.dropout) = (1, 16, 0)
      let group = try TrainingGroup(
        [TrainingJob(spec: spec, train: examples, dev: examples, options: options)],
        source: world.source, entry: world.entry(backend), configuration: world.configuration,
        backend: backend, stateBytes: 1 << 20)
      return try #require(try group.run()[0].get().adapter.head).weight
    }
    #expect(try head(rate: 1e-3, headRate: 8) == head(rate: 8e-3, headRate: 1))
    #expect(try head(rate: 1e-3, headRate: 8) != head(rate: 1e-3, headRate: 1))
  }
}
