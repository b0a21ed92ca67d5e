import Foundation
import Model
import TestSupport
import Testing

@testable import Manager

/// A Hugging Face model of 2 layers in memory: files by name.
struct TinyModel {
  var configuration = Configuration(
    vocabularySize: 8, hiddenSize: 4, layerCount: 2, headCount: 2, intermediateSize: 6,
    maxPositions: 6)
  var fields: [String: Any] = [
    "model_type": "bert", "hidden_act": "gelu", "vocab_size": 8, "hidden_size": 4,
    "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 6,
    "max_position_embeddings": 6, "type_vocab_size": 2, "layer_norm_eps": 1e-12,
    "position_embedding_type": "absolute",
  ]
  var vocabulary: String? = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nb\n##c\n"
  var type = SafetensorsType.float32
  /// Name in the file from the plain name; nil leaves the tensor out.
  var rename: (String) -> String? = { $0 }

  static func values(_ name: String, _ count: Int) -> [Float] {
    var generator = SeededGenerator(seed: name.utf8.reduce(0) { $0 &* 31 &+ UInt64($1) })
    return (0..<count).map { _ in Float(Float16.random(in: -1...1, using: &generator)) }
  }

  func write(to directory: URL) throws {
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    try JSONSerialization.data(withJSONObject: fields, options: .sortedKeys)
      .write(to: directory.appending(path: "config.json"))
    if let vocabulary {
      try Data(vocabulary.utf8).write(to: directory.appending(path: "vocab.txt"))
    }
    var tensors = configuration.tensors.compactMap { name, shape in
      rename(name).map {
        SafetensorsTensor(
          name: $0, shape: shape, floats: Self.values(name, shape.reduce(1, *)), type: type)
      }
    }
    tensors.append(
      SafetensorsTensor(name: "embeddings.position_ids", shape: [1, 2], integers: [0, 1]))
    tensors.append(SafetensorsTensor(name: "pooler.dense.bias", shape: [4], floats: [0, 0, 0, 0]))
    try SafetensorsWriter.write(
      tensors, to: directory.appending(path: "model.safetensors").path())
  }
}

@Suite struct BaseStoreTests {
  private let temporary = TemporaryHome()
  private var store: BaseStore { BaseStore(home: temporary.home) }
  private var source: URL { temporary.home.root.appending(path: "source") }

  private func isAbsent() throws {
    #expect(try store.list().isEmpty)
    let left = try? FileManager.default.contentsOfDirectory(atPath: temporary.home.bases.path())
    #expect(left ?? [] == [])
  }

  private func refusal(_ model: TinyModel) throws -> BaseError? {
    try? FileManager.default.removeItem(at: source)
    try model.write(to: source)
    let error = #expect(throws: BaseError.self) {
      try store.importBase(from: source.path(), name: "b")
    }
    try isAbsent()
    return error
  }

  @Test func importsADirectory() throws {
    try TinyModel().write(to: source)
    let record = try store.importBase(from: source.path(), name: "b")
    #expect(record.kind == .dense && record.skipDepth == 0 && record.label == "dense")
    #expect(record.contentHash.count == 64 && record.source == "source")
    #expect(try store.list().map(\.name) == ["b"])
    #expect(try store.list().first?.record.get().contentHash == record.contentHash)
    let base = try store.load("b")
    #expect(base.configuration == TinyModel().configuration)
    #expect(base.tokenizer.vocabularySize == 8)
    #expect(base.weights.names == base.configuration.tensors.map(\.name).sorted())
    let name = "encoder.layer.1.output.dense.weight"
    #expect(try base.weights.floats(name) == TinyModel.values(name, 24))
    #expect(throws: BaseError.exists(name: "b")) {
      try store.importBase(from: source.path(), name: "b")
    }
    #expect(throws: BaseError.noBase(name: "c", known: ["b"])) { try store.load("c") }
    try store.remove("b")
    try isAbsent()
    // The mapping outlives the file.
    #expect(try base.weights.floats(name) == TinyModel.values(name, 24))
  }

  @Test func importsOtherNamesAndTypes() throws {
    var model = TinyModel()
    try model.write(to: source)
    let plain = try store.importBase(from: source.path(), name: "plain")
    model.rename = {
      "bert."
        + $0.replacing("LayerNorm.weight", with: "LayerNorm.gamma")
        .replacing("LayerNorm.bias", with: "LayerNorm.beta")
    }
    try model.write(to: source)
    let old = try store.importBase(from: source.path(), name: "old")
    #expect(try store.load("old").weights.names == store.load("plain").weights.names)
    #expect(old.contentHash == plain.contentHash, "names and leftovers do not change the content")
    model.type = .float16
    try model.write(to: source)
    let half = try store.importBase(from: source.path(), name: "half")
    #expect(half.contentHash != plain.contentHash)
    let name = "embeddings.LayerNorm.weight"
    #expect(try store.load("half").weights.floats(name) == TinyModel.values(name, 4))
  }

  @Test func importsFromAnArchive() throws {
    try TinyModel().write(to: source)
    var zip = HandmadeZip()
    zip.add("pkg/__init__.py", [])
    zip.add("pkg/model/1_Pooling/config.json", Array("{}".utf8))
    for file in ["config.json", "vocab.txt", "model.safetensors"] {
      let bytes = [UInt8](try Data(contentsOf: source.appending(path: file)))
      zip.add("pkg/model/\(file)", bytes)
    }
    let file = try TemporaryFile(zip.finished())
    let record = try store.importBase(from: file.path, name: "wheel")
    let direct = try store.importBase(from: source.path(), name: "b")
    #expect(record.contentHash == direct.contentHash)
    let files = try FileManager.default.contentsOfDirectory(
      atPath: temporary.home.bases.appending(path: "wheel").path())
    #expect(files.sorted() == ["base.json", "config.json", "model.safetensors", "vocab.txt"])
  }

  @Test func refusesWhatDoesNotFit() throws {
    var model = TinyModel()
    model.rename = { $0.hasSuffix("layer.1.output.dense.bias") ? nil : $0 }
    #expect(try refusal(model)?.description.contains("layer.1.output.dense.bias") == true)
    model = TinyModel()
    model.fields["intermediate_size"] = 7
    #expect(try refusal(model)?.description.contains("intermediate") == true)
    for (key, value) in [
      ("model_type", "roberta"), ("hidden_act", "relu"),
      ("position_embedding_type", "relative_key"),
    ] {
      model = TinyModel()
      model.fields[key] = value
      #expect(try refusal(model)?.description.contains(value) == true)
    }
    model = TinyModel()
    model.vocabulary = nil
    #expect(try refusal(model)?.description.contains("WordPiece") == true)
    model.vocabulary = "[PAD]\n[UNK]\n[CLS]\n[SEP]\na\nb\nc\nd\ne\n"
    #expect(try refusal(model)?.description.contains("9 tokens") == true)
    model.vocabulary = "a\nb\n"
    #expect(try refusal(model) != nil)
  }

  @Test func refusesPicklesAndOtherThings() throws {
    func find(_ files: [String]) -> BaseError? {
      #expect(throws: BaseError.self) { try ModelSearch(files, path: "p").folder() }
    }
    #expect(find([]) == .noModel(path: "p"))
    #expect(find(["model.safetensors", "x/config.json"]) == .noModel(path: "p"))
    #expect(
      find(["m/config.json", "m/pytorch_model.bin"])
        == .pickle(path: "p", file: "m/pytorch_model.bin"))
    #expect(find(["config.json", "model.safetensors.index.json"]) != nil)
    let two = ["a/config.json", "a/model.safetensors", "b/config.json", "b/model.safetensors"]
    #expect(find(two) == .severalModels(path: "p", folders: ["a/", "b/"]))
    #expect(
      try ModelSearch(two + ["config.json", "model.safetensors"], path: "p").folder() == "")
    for path in ["/nothing/here", try TemporaryFile([1, 2, 3]).path] {
      #expect(throws: BaseError.self) { try store.importBase(from: path, name: "b") }
    }
    for name in ["", "A", "../b", ".b", "a b", "é", String(repeating: "a", count: 65), "a/b"] {
      #expect(throws: BaseError.invalidName(name)) {
        try store.importBase(from: source.path(), name: name)
      }
    }
  }

  @Test func makesASkipBase() throws {
    try TinyModel().write(to: source)
    _ = try store.importBase(from: source.path(), name: "b")
    let record = try store.makeSkip(base: "b", depth: 1, name: nil)
    #expect(record.name == "b-skip1" && record.kind == .skip && record.skipDepth == 1)
    #expect(!record.distilled && record.label == "skip 1, undistilled")
    #expect(record.source == "skip 1 of b")
    let (dense, skip) = (try store.load("b"), try store.load("b-skip1"))
    #expect(skip.configuration.skipDepth == 1 && skip.configuration.layerCount == 2)
    let table = try dense.weights.floats("embeddings.position_embeddings.weight")
    let local = try skip.weights.floats("embeddings.position_embeddings.weight")
    #expect(local[..<12] == table[4..<16], "rows 1...3 of the base's table")
    #expect(local[12...] == table[12...])
    #expect(try skip.weights.floats("embeddings.position_embeddings2.weight") == table)
    #expect(
      try skip.weights.floats("norm.weight")
        == dense.weights.floats("encoder.layer.0.output.LayerNorm.weight"))
    let bias = try skip.weights.floats("attn.bias")[0]
    #expect(abs(1 / (1 + exp(-bias)) - 1 / 3) < 1e-6)
    #expect(try skip.weights.floats("attn.weight") == [0, 0, 0, 0])

    #expect(throws: BaseError.alreadySkip(name: "b-skip1")) {
      try store.makeSkip(base: "b-skip1", depth: 1, name: "c")
    }
    for depth in [-1, 0, 2, 3] {
      #expect(throws: BaseError.invalidDepth(depth, layers: 2)) {
        try store.makeSkip(base: "b", depth: depth, name: "c")
      }
    }
    // A skip base is a SkipBERT checkpoint, and imports as one.
    let directory = temporary.home.bases.appending(path: "b-skip1").path()
    let again = try store.importBase(from: directory, name: "again")
    #expect(again.kind == .skip && again.contentHash == record.contentHash && !again.distilled)
  }

  /// What a process that was killed left behind is swept, and is never listed.
  @Test func leftoversAreSwept() throws {
    try TinyModel().write(to: source)
    try temporary.home.create()
    let left = temporary.home.bases.appending(path: ".staging-dead")
    try FileManager.default.copyItem(at: source, to: left)
    #expect(try store.list().isEmpty)
    _ = try store.importBase(from: source.path(), name: "b")
    #expect(!FileManager.default.fileExists(atPath: left.path()))
  }

  @Test(.enabled(if: MiniLM.exists, "\(MiniLM.missing)"))
  func importsMiniLM() throws {
    _ = try store.importBase(from: MiniLM.directory.path(), name: "minilm")
    _ = try store.makeSkip(base: "minilm", depth: 2, name: "s")
    let base = try store.load("s")
    #expect(base.configuration.layerCount == 6 && base.configuration.skipDepth == 2)
    #expect(base.tokenizer.vocabularySize == 30522)
  }
}

@Suite struct BaseUseTests {
  @Test func aBaseInUseIsKnown() throws {
    let temporary = TemporaryHome()
    let registry = try temporary.registry()
    #expect(try registry.firstVBert(onBase: "tiny") == nil)
    _ = try registry.create(vbert: "v", spec: .embedder)
    #expect(try registry.firstVBert(onBase: "tiny") == "v")
    #expect(try registry.firstVBert(onBase: "other") == nil)
  }
}

@Suite struct DomainWeightsTests {
  /// A domain's local layers go before the base's, for that domain alone and on that base alone.
  @Test func ownLayersGoBeforeTheBases() throws {
    let temporary = TemporaryHome()
    let store = BaseStore(home: temporary.home)
    let source = temporary.home.root.appending(path: "source")
    try TinyModel().write(to: source)
    _ = try store.importBase(from: source.path(), name: "b")
    _ = try store.makeSkip(base: "b", depth: 1, name: "s")
    let base = try store.load("s")
    let (gate, norm) = ("attn.bias", "norm.weight")
    var tensors = MemoryTensors()
    tensors.set(gate, shape: [1], [7])
    try base.write(tensors, domain: "bio")
    #expect(try base.weights(domain: "bio").floats(gate) == [7])
    #expect(try base.weights(domain: "bio").floats(norm) == base.weights.floats(norm))
    #expect(try base.weights(domain: nil).floats(gate) == base.weights.floats(gate))
    #expect(try base.weights(domain: "law").floats(gate) == base.weights.floats(gate))
    #expect(throws: PLOTError.self) { try base.weights(domain: "../bio") }
    let path = base.plotDirectory.appending(path: "bio.local.safetensors").path()
    try SafetensorsWriter.write(
      [SafetensorsTensor(name: gate, shape: [1], floats: [7])],
      metadata: ["format": "vbert-domain-1", "base": "another"], to: path)
    #expect(
      throws: PLOTError.otherBase(
        path: path, found: "another", expected: base.record.contentHash)
    ) { try base.weights(domain: "bio") }
  }
}
