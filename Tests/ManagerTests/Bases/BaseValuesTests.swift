import Foundation
import Model
import TestSupport
import Testing

@testable import Manager

/// Weights that nothing can be computed with, wherever a base gets weights from.
@Suite struct BaseValuesTests {
  private let temporary = TemporaryHome()
  private var store: BaseStore { BaseStore(home: temporary.home) }
  private var source: URL { temporary.home.root.appending(path: "source") }

  /// Writes the tiny model with one value changed; -1 is the last.
  private func write(
    _ value: Float, _ tensor: String, at place: Int, _ type: SafetensorsType = .float32
  ) throws {
    var model = TinyModel()
    model.type = type
    try model.write(to: source)
    let path = source.appending(path: "model.safetensors").path()
    try Self.change(path, value, tensor, at: place)
  }

  private static func change(
    _ path: String, _ value: Float, _ tensor: String, at place: Int
  ) throws {
    let file = try SafetensorsFile(path: path)
    let tensors = try file.names.map { name in
      guard name == tensor else {
        return try SafetensorsTensor(name: name, copying: name, from: file)
      }
      var values = try file.floats(name)
      values[place < 0 ? values.count + place : place] = value
      return SafetensorsTensor(
        name: name, shape: try file.shape(name), floats: values, type: try file.type(name))
    }
    try SafetensorsWriter.write(tensors, metadata: file.metadata, to: path)
  }

  private static let tensors = [
    "embeddings.word_embeddings.weight", "embeddings.LayerNorm.weight",
    "encoder.layer.0.attention.self.key.bias", "encoder.layer.1.output.dense.weight",
    "encoder.layer.1.output.LayerNorm.bias",
  ]

  @Test(arguments: [SafetensorsType.float32, .float16, .bfloat16])
  func importRefusesThemByTensorAndPlace(type: SafetensorsType) throws {
    for value: Float in [.nan, .infinity, -.infinity, 3e38, -3e38, 1016, -65504] {
      for tensor in Self.tensors {
        for place in [0, -1] {
          try write(value, tensor, at: place, type)
          let error = #expect(throws: BaseError.self, "\(value) in \(tensor)") {
            try store.importBase(from: source.path(), name: "b")
          }
          let shape =
            TinyModel().configuration.tensors.first { $0.name == tensor }?.shape ?? []
          guard case .value(_, tensor, let found, _) = error else {
            Issue.record("\(String(describing: error))")
            return
          }
          #expect(found == (place == 0 ? shape.map { _ in 0 } : shape.map { $0 - 1 }))
        }
      }
    }
    #expect(try store.list().isEmpty)
  }

  /// Zeros there hide every text: embeddings of nothing, all alike.
  @Test func aNormalizationOfZerosIsRefused() throws {
    for tensor in TinyModel().configuration.tensors.map(\.name).filter({
      $0.hasSuffix("LayerNorm.weight")
    }) {
      try TinyModel().write(to: source)
      let path = source.appending(path: "model.safetensors").path()
      let count = try SafetensorsFile(path: path).floats(tensor).count
      for place in 0..<count { try Self.change(path, 0, tensor, at: place) }
      #expect { try store.importBase(from: source.path(), name: "b") } throws: {
        "\($0)".contains("\(tensor) is all zeros")
      }
      try Self.change(path, 1e-4, tensor, at: 0)
      _ = try store.importBase(from: source.path(), name: "b")
      try store.remove("b")
    }
  }

  @Test func whatIsInRangeOrNotReadIsTaken() throws {
    for (value, tensor) in [
      (1000, Self.tensors[0]), (-1000, Self.tensors[1]),
      (Float.leastNonzeroMagnitude, Self.tensors[2]),
      (.nan, "pooler.dense.bias"), (3e38, "pooler.dense.bias"),
    ] as [(Float, String)] {
      try write(value, tensor, at: 0)
      _ = try store.importBase(from: source.path(), name: "b")
      try store.remove("b")
    }
  }

  /// Errors call a tensor what the file calls it.
  @Test func otherNames() throws {
    var model = TinyModel()
    model.rename = { "bert.\($0)" }
    try model.write(to: source)
    let name = "bert.encoder.layer.0.output.dense.weight"
    try Self.change(source.appending(path: "model.safetensors").path(), .nan, name, at: 7)
    let error = #expect(throws: BaseError.self) {
      try store.importBase(from: source.path(), name: "b")
    }
    let text = error?.description ?? ""
    #expect(text.contains("\"\(name)\" is nan at [1, 1]") && text.contains("at most 1000"))
  }

  /// An older vbert took in what was there; such a base does not load, once or again.
  @Test func anOlderBaseWithSuchValuesDoesNotLoad() throws {
    try TinyModel().write(to: source)
    _ = try store.importBase(from: source.path(), name: "b")
    let directory = temporary.home.bases.appending(path: "b")
    let weights = directory.appending(path: "model.safetensors").path()
    try Self.change(weights, .nan, Self.tensors[3], at: -1)
    var record = try store.record("b")
    record.files = nil
    record.contentHash = try BaseContents(directory).contentHash()
    try record.json().write(to: directory.appending(path: "base.json"))
    for _ in 0..<2 {
      let error = #expect(throws: BaseError.self) { try store.load("b") }
      #expect(error?.description.contains("\(Self.tensors[3])\" is nan at [3, 5]") == true)
    }
    #expect(throws: BaseError.self) { try store.makeSkip(base: "b", depth: 1, name: nil) }
    let report = try store.verify("b")
    #expect(report.damage.isEmpty && report.problem?.contains("nan") == true)
    // It was made so: what takes its place is told to remove it first.
    try TinyModel().write(to: source)
    #expect(throws: BaseError.exists(name: "b")) {
      try store.importBase(from: source.path(), name: "b")
    }
  }

  /// Nor does one whose config.json says what no longer imports.
  @Test(arguments: [
    ("layer_norm_eps", "-1"), ("layer_norm_eps", "0"), ("num_attention_heads", "3"),
    ("max_position_embeddings", "2"),
  ])
  func anOlderBaseWithSuchAConfiguration(field: String, value: String) throws {
    try TinyModel().write(to: source)
    _ = try store.importBase(from: source.path(), name: "b")
    let directory = temporary.home.bases.appending(path: "b")
    let url = directory.appending(path: "config.json")
    let text = try String(contentsOf: url, encoding: .utf8)
    let changed = text.replacing(try Regex("\"\(field)\":[^,}]*"), with: "\"\(field)\":\(value)")
    #expect(changed != text)
    try Data(changed.utf8).write(to: url)
    let damaged = #expect(throws: BaseError.self) { try store.load("b") }
    #expect(damaged?.description.contains("damaged: config.json (has ") == true)
    var record = try store.record("b")
    record.files = nil
    record.contentHash = try BaseContents(directory).contentHash()
    try record.json().write(to: directory.appending(path: "base.json"))
    let error = #expect(throws: BaseError.self) { try store.load("b") }
    #expect(error?.description.contains(field) == true)
    #expect(try store.verify("b").problem?.contains(field) == true)
    #expect(try store.record("b").files == nil)
  }

  private func skipBase() throws -> (dense: Base, skip: Base) {
    try TinyModel().write(to: source)
    _ = try store.importBase(from: source.path(), name: "b")
    _ = try store.makeSkip(base: "b", depth: 1, name: "s")
    return (try store.load("b"), try store.load("s"))
  }

  /// All of a skip base but its word embeddings, one value changed.
  private func distilled(_ skip: Base, _ value: Float) throws -> MemoryTensors {
    var tensors = MemoryTensors()
    for (name, shape) in skip.configuration.tensors where !name.contains("word_embeddings") {
      var values = try skip.weights.floats(name)
      if name == "norm.bias" { values[2] = value }
      tensors.set(name, shape: shape, values)
    }
    return tensors
  }

  @Test func whatDistillationMadeIsChecked() throws {
    let (dense, skip) = try skipBase()
    let path = temporary.home.root.appending(path: "d.safetensors").path()
    for value: Float in [.nan, .infinity, 2000] {
      let tensors = try distilled(skip, value)
      #expect(throws: BaseError.self) {
        try store.addDistilled(tensors, of: dense, depth: 1, name: "d")
      }
      #expect(throws: BaseError.self) {
        try BaseStore.writeDistilled(tensors, of: dense, depth: 1, notes: [:], to: path)
      }
      #expect(throws: BaseError.self) { try skip.write(tensors, domain: "bio") }
    }
    #expect(!FileManager.default.fileExists(atPath: path))
    #expect(try store.list().map(\.name) == ["b", "s"])

    // A file of an older vbert carries no hash and may hold anything.
    try BaseStore.writeDistilled(
      distilled(skip, 1), of: dense, depth: 1, notes: [:], to: path)
    let good = try SafetensorsFile(path: path)
    var metadata = good.metadata
    (metadata["format"], metadata["content"]) = ("vbert-distilled-1", nil)
    try SafetensorsWriter.write(
      good.names.map { try SafetensorsTensor(name: $0, copying: $0, from: good) },
      metadata: metadata, to: path)
    #expect(try store.addDistilled(path, base: "b", name: "older").distilled)
    try Self.change(path, .infinity, "norm.bias", at: 0)
    #expect(throws: BaseError.self) { try store.addDistilled(path, base: "b", name: "d") }
  }

  /// Distilled weights and a domain's local layers carry their own hash: every byte counts.
  @Test func filesWithAHashOfTheirOwn() throws {
    let (dense, skip) = try skipBase()
    let weights = temporary.home.root.appending(path: "d.safetensors")
    let tensors = try distilled(skip, 1)
    try BaseStore.writeDistilled(tensors, of: dense, depth: 1, notes: [:], to: weights.path())
    #expect(try store.addDistilled(weights.path(), base: "b", name: "d").distilled)
    try store.remove("d")
    try skip.write(tensors, domain: "bio")
    #expect(try skip.weights(domain: "bio").floats("norm.bias")[2] == 1)
    let local = skip.plotDirectory.appending(path: "bio.local.safetensors")
    for (url, read) in [
      (weights, { _ = try store.addDistilled(weights.path(), base: "b", name: "d") }),
      (local, { _ = try skip.weights(domain: "bio") }),
    ] {
      let bytes = [UInt8](try Data(contentsOf: url))
      for place in [9, 20, 200, bytes.count / 2, bytes.count - 1] {
        var damaged = bytes
        damaged[place] ^= 1
        try Data(damaged).write(to: url)
        #expect(throws: (any Error).self, "\(url.lastPathComponent) \(place)") { try read() }
      }
      if url == local {
        let report = try store.verify("s")
        #expect(report.damage == ["plot/bio.local.safetensors (has other bytes)"])
        // Its base is sound and serves on.
        _ = try store.load("s")
      }
      try Data(bytes).write(to: url)
    }
    #expect(try store.verify("s").isSound)
  }
}
