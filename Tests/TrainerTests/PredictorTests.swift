import Compute
import ComputeCPU
import Foundation
import Model
import TestSupport
import Testing

@testable import Trainer

@Suite("Predictor", .enabled(if: Shared.exists, "\(Shared.missing)"))
struct PredictorTests {
  /// Whatever is left out on the way, outputs are those of the heads on the states of all rows.
  @Test(arguments: Pooling.allCases) func outputsAreTheHeads(pooling: Pooling) throws {
    let tiny = try TinyModel()
    let (backend, hidden) = (tiny.backend, tiny.configuration.hiddenSize)
    let base = try BaseModel(
      source: tiny.tensors, configuration: tiny.configuration, backend: backend)
    let local = try LocalEncoder(base: base, backend: backend, chunk: 64)
    var random = SeededGenerator(seed: 8)
    func matrix(_ outputs: Int, _ inputs: Int) -> HostMatrix {
      func values(_ count: Int) -> [Float] {
        (0..<count).map { _ in Float.random(in: -0.5...0.5, using: &random) }
      }
      return HostMatrix(
        weight: values(outputs * inputs), bias: values(outputs), outputs: outputs, inputs: inputs)
    }
    let adapter = HostAdapter(
      bottlenecks: tiny.configuration.upperLayers.flatMap { layer in
        AdapterSite.allCases.map {
          .init(layer: layer, site: $0, down: matrix(6, hidden), up: matrix(hidden, 6))
        }
      }, head: matrix(3, hidden))
    var spec = tiny.spec(.bottleneck(width: 6, sites: AdapterSite.allCases))
    spec.pooling = pooling

    let predictor = try Predictor(
      spec: spec, adapter: adapter, base: base, lookup: local.lookup, backend: backend)
    let found = try predictor.outputs(
      zip(tiny.file.ids, tiny.file.type_ids).map {
        try TokenSequence(ids: $0, types: $1, for: tiny.configuration)
      })

    let upper = try UpperEncoder(
      base: base, backend: backend, tokenBudget: 64, extraBytes: 1 << 16)
    let (layout, resident) = (tiny.batch.layout, try backend.load(adapter))
    func group(_ rows: Int) throws -> any PlacedGroups {
      try backend.place([RowGroup(rows: 0..<rows, adapter: resident)])
    }
    let rows = try local.lookup(tiny.batch.grams)
    let sequences = try backend.place(layout)
    let states = try upper.states(
      of: tiny.batch, rows: rows.rows, sequences: sequences, groups: group(layout.rows))
    let pooled = upper.workspace.take(rows: layout.count, columns: hidden)
    let logits = upper.workspace.take(rows: layout.count, columns: 3)
    try backend.pool(states, sequences: sequences, pooling: pooling, into: pooled)
    try backend.applyHeads(pooled, groups: group(layout.count), into: logits)
    let expected = try backend.download(logits)
    #expect(found.count == layout.count)
    for (a, b) in zip(found.joined(), expected) { #expect(abs(a - b) < 1e-5) }
  }

  /// A tagger's head reads every token's state, at norm 1 where its specification says so.
  @Test func wordsAreReadAtNormOne() throws {
    let tiny = try TinyModel()
    let hidden = tiny.configuration.hiddenSize
    let base = try BaseModel(
      source: tiny.tensors, configuration: tiny.configuration, backend: tiny.backend)
    let local = try LocalEncoder(base: base, backend: tiny.backend, chunk: 64)
    // Says the state itself.
    let identity = (0..<hidden * hidden).map { Float($0 / hidden == $0 % hidden ? 1 : 0) }
    let adapter = HostAdapter(
      head: HostMatrix(
        weight: identity, bias: [Float](repeating: 0, count: hidden), outputs: hidden,
        inputs: hidden))
    func outputs(_ pooling: Pooling) throws -> [[Float]] {
      var spec = tiny.spec(.none)
      (spec.task, spec.pooling) = (.tag, pooling)
      spec.labels = (0..<hidden).map { "B-\($0)" }
      return try Predictor(
        spec: spec, adapter: adapter, base: base, lookup: local.lookup, backend: tiny.backend
      ).outputs(
        zip(tiny.file.ids, tiny.file.type_ids).map {
          try TokenSequence(ids: $0, types: $1, for: tiny.configuration)
        })
    }
    let (raw, divided) = try (outputs(.mean), outputs(.normalizedMean))
    #expect(raw.map(\.count) == divided.map(\.count) && raw.map(\.count) != [])
    for (raw, divided) in zip(raw, divided) {
      for first in stride(from: 0, to: raw.count, by: hidden) {
        let state = raw[first..<first + hidden]
        let norm = state.reduce(0) { $0 + $1 * $1 }.squareRoot()
        for (a, b) in zip(divided[first..<first + hidden], state) {
          #expect(abs(a - b / norm) < 1e-5)
        }
      }
    }
  }

  /// A result that is no number is an error that names its row, and never zeros or null.
  @Test(arguments: [Float.nan, .infinity]) func resultsAreNumbers(bad: Float) throws {
    let tiny = try TinyModel()
    let base = try BaseModel(
      source: tiny.tensors, configuration: tiny.configuration, backend: tiny.backend)
    let local = try LocalEncoder(base: base, backend: tiny.backend, chunk: 64)
    let hidden = tiny.configuration.hiddenSize
    var weight = [Float](repeating: 0.1, count: 3 * hidden)
    weight[hidden] = bad
    let adapter = HostAdapter(
      head: HostMatrix(weight: weight, bias: [0, 0, 0], outputs: 3, inputs: hidden))
    let predictor = try Predictor(
      spec: tiny.spec(.none), adapter: adapter, base: base, lookup: local.lookup,
      backend: tiny.backend)
    let sequence = try TokenSequence(
      ids: tiny.file.ids[0], types: tiny.file.type_ids[0], for: tiny.configuration)
    let error = #expect(throws: NotFinite.self) { try predictor.outputs([sequence, sequence]) }
    #expect(error?.row == 0)
  }
}
