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
    for task in [Task.classify, .multilabel, .score, .tag] {
      #expect(AdapterSpec.standard(for: task) == wide)
    }
    #expect(AdapterSpec.standard(for: .embed) == .none)
  }

  @Test(arguments: [
    (Task.classify, "lora:32@all", Float(5e-4)), (.multilabel, "lora:32@all", 5e-4),
    (.score, "lora:32@all", 1e-3), (.tag, "lora:32@all", 1e-3),
    (.classify, "bottleneck:64@both", 1e-3), (.classify, "lora:8", 1e-3),
  ])
  func ratesByHeadAndAdapter(task: Task, adapter: String, rate: Float) throws {
    let spec = VBertSpec(
      task: task, base: "b", baseHash: "", adapter: try AdapterSpec(parsing: adapter))
    #expect(TrainingOptions.rate(for: spec) == rate)
  }
}
