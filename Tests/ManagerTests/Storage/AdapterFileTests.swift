import Compute
import Foundation
import Model
import TestSupport
import Testing

@Suite struct AdapterFileTests {
  static let specs: [VBertSpec] = [
    .example(), .example(.multilabel, adapter: .bottleneck(width: 3, sites: [.attention, .ffn])),
    .example(.tag, adapter: .bottleneck(width: 1, sites: [.ffn])),
    .example(.score, adapter: .none, labels: []),
    .example(.embed, adapter: .lora(rank: 2, alpha: 3, targets: [.query, .value]), labels: []),
    .example(adapter: .lora(rank: 2, alpha: 8, targets: LowRankTarget.allCases)),
    .embedder,
  ]

  @Test(arguments: specs) func whatIsWrittenIsRead(spec: VBertSpec) throws {
    let adapter = try makeAdapter(spec)
    let named = AdapterFile.tensors(of: adapter)
    try AdapterFile.check(named.map { ($0.name, $0.shape) }, fit: spec, base: .tiny)
    var tensors = MemoryTensors()
    for (name, shape, values) in named { tensors.set(name, shape: shape, values) }
    let again = try AdapterFile.adapter(spec, base: .tiny, from: tensors)
    #expect(sameTensors(adapter, again))
    #expect(adapter.lowRanks.map(\.scale) == again.lowRanks.map(\.scale))
    // The upper layers, and no others.
    let layers = adapter.bottlenecks.map(\.layer) + adapter.lowRanks.map(\.layer)
    #expect(spec.adapter == .none || Set(layers) == [2, 3])
  }

  @Test func everyWrongShapeIsNamed() throws {
    for spec in Self.specs {
      let right = AdapterFile.layout(spec, base: .tiny)
      for place in right.indices {
        var wrong = right
        wrong[place].shape[0] += 1
        #expect(
          throws: AdapterFileError.shape(
            name: right[place].name, found: wrong[place].shape, expected: right[place].shape)
        ) { try AdapterFile.check(wrong, fit: spec, base: .tiny) }
        wrong.remove(at: place)
        #expect(throws: AdapterFileError.missing(name: right[place].name)) {
          try AdapterFile.check(wrong, fit: spec, base: .tiny)
        }
        #expect(throws: AdapterFileError.superfluous(name: right[place].name)) {
          try AdapterFile.check(right + [right[place]], fit: spec, base: .tiny)
        }
      }
      #expect(throws: AdapterFileError.superfluous(name: "adapter.1.attn.down.bias")) {
        try AdapterFile.check(
          right + [("adapter.1.attn.down.bias", [1])], fit: spec, base: .tiny)
      }
    }
  }

  @Test func numbersThatAreNotFiniteOrBeyondAllAreRefused() throws {
    let spec = VBertSpec.example()
    for bad in [Float.nan, .infinity, -.infinity, 3e38, -3e38, 65_505, -65_505] {
      var tensors = MemoryTensors()
      for (name, shape) in AdapterFile.layout(spec, base: .tiny) {
        var values = [Float](repeating: 1, count: shape.reduce(1, *))
        if name == "adapter.3.attn.up.weight" { values[5] = bad }
        tensors.set(name, shape: shape, values)
      }
      let name = "adapter.3.attn.up.weight"
      #expect(
        throws: bad.isFinite
          ? AdapterFileError.tooLarge(name: name, value: bad) : .notFinite(name: name)
      ) {
        try AdapterFile.adapter(spec, base: .tiny, from: tensors)
      }
    }
    try AdapterFile.check(values: [65_504, -65_504, 0, .leastNonzeroMagnitude], name: "")
    for alpha in ["3e38", "65537", "nan", "inf", "-1", "0"] {
      #expect(throws: SpecError.self) { try AdapterSpec(parsing: "lora:8:alpha=\(alpha)") }
    }
  }

  /// The public reference's own files read under its own names.
  @Test(.enabled(if: Shared.exists, "\(Shared.missing)")) func goldensAreRead() throws {
    let base = Configuration(
      vocabularySize: 97, hiddenSize: 32, layerCount: 4, headCount: 4, intermediateSize: 64,
      maxPositions: 32, skipDepth: 2)
    let weights = try SafetensorsFile(
      path: Shared.url("golden/tiny/weights.safetensors").path())
    let both = VBertSpec.example(
      .embed, adapter: .bottleneck(width: 8, sites: [.attention, .ffn]), labels: [])
    let adapter = try AdapterFile.adapter(both, base: base, from: weights)
    #expect(adapter.bottlenecks.count == 4)
    let low = VBertSpec.example(
      .embed, adapter: .lora(rank: 4, alpha: 8, targets: [.query, .value]), labels: [])
    let lora = try SafetensorsFile(path: Shared.url("golden/tiny/lora.safetensors").path())
    try AdapterFile.check(
      lora.names.map { ($0, try lora.shape($0)) }, fit: low, base: base)
    #expect(
      try AdapterFile.adapter(low, base: base, from: lora).lowRanks.allSatisfy { $0.scale == 2 })
  }

  @Test func specificationsThatMakeNoSenseAreRefused() {
    func problem(_ spec: VBertSpec) -> SpecProblem? {
      do throws(SpecProblem) { try spec.check(base: .tiny) } catch { return error }
      return nil
    }
    for spec in Self.specs { #expect(problem(spec) == nil) }
    #expect(problem(.example(labels: [])) == nil)
    #expect(problem(.example(labels: ["one"])) == .oneLabel)
    #expect(problem(.example(.multilabel, labels: ["one"])) == nil)
    #expect(problem(.example(labels: ["a", "a"])) == .labelTwice("a"))
    // Equal to people, not to bytes.
    #expect(problem(.example(labels: ["\u{E9}", "e\u{301}"])) == .canonicalTwins("e\u{301}"))
    #expect(problem(.example(labels: ["a", ""])) == .labelLength(""))
    #expect(problem(.example(.embed)) == .noLabels(.embed))
    #expect(problem(.example(.score)) == .noLabels(.score))
    var long = VBertSpec.example()
    long.maxLength = 129
    #expect(problem(long) == .maxLength(129, most: 128))
    long.maxLength = 2
    #expect(problem(long) == .maxLength(2, most: 128))
  }
}
