import Files
import Foundation
import Model
import TestSupport
import Testing

@testable import Manager

/// Bases of other families than BERT, and one that comes in pieces.
@Suite struct ArchitectureImportTests {
  private let temporary = TemporaryHome()
  private var store: BaseStore { BaseStore(home: temporary.home) }
  private var source: URL { temporary.home.root.appending(path: "source") }

  private var mpnet: TinyModel {
    var model = TinyModel()
    model.configuration = Configuration(
      vocabularySize: 9, hiddenSize: 4, layerCount: 2, headCount: 2, intermediateSize: 6,
      maxPositions: 6, tokenTypes: 0, layerNormEpsilon: 1e-5, architecture: .mpnet)
    model.fields = [
      "model_type": "mpnet", "vocab_size": 9, "hidden_size": 4, "num_hidden_layers": 2,
      "num_attention_heads": 2, "intermediate_size": 6, "max_position_embeddings": 8,
      "layer_norm_eps": 1e-5, "relative_attention_num_buckets": 32,
    ]
    model.vocabulary = "<s>\n<pad>\n</s>\n<unk>\n[UNK]\na\nb\n##c\n<mask>\n"
    model.rename = { "mpnet." + Architecture.mpnet.tensorNames.original(of: $0) }
    return model
  }

  private var distilBERT: TinyModel {
    var model = TinyModel()
    model.configuration = Configuration(
      vocabularySize: 8, hiddenSize: 4, layerCount: 2, headCount: 2, intermediateSize: 6,
      maxPositions: 6, tokenTypes: 0, architecture: .distilBert)
    model.fields = [
      "architectures": ["DistilBertForMaskedLM"], "vocab_size": 8, "dim": 4, "n_layers": 2,
      "n_heads": 2, "hidden_dim": 6, "max_position_embeddings": 6, "activation": "gelu",
    ]
    model.rename = { "distilbert." + Architecture.distilBert.tensorNames.original(of: $0) }
    return model
  }

  @Test func importsMPNet() throws {
    try mpnet.write(to: source)
    _ = try store.importBase(from: source.path(), name: "large")
    let base = try store.load("large")
    #expect(base.configuration == mpnet.configuration)
    #expect(base.tokenizer.encode("ac", pair: "b").ids == [0, 5, 7, 2, 2, 6, 2])
    let name = "encoder.layer.1.attention.self.query.weight"
    #expect(
      try base.weights.floats(name)
        == TinyModel.values(
          "encoder.layer.1.attention.self.query.weight", 16))
    // What is stored imports again.
    let again = try store.importBase(from: base.directory.path(), name: "again")
    #expect(again.contentHash == base.record.contentHash)
  }

  @Test func cutsMPNet() throws {
    try mpnet.write(to: source)
    _ = try store.importBase(from: source.path(), name: "large")
    _ = try store.makeSkip(base: "large", depth: 1, name: nil)
    let (dense, skip) = (try store.load("large"), try store.load("large-skip1"))
    #expect(skip.configuration.isSkip && skip.configuration.architecture == .mpnet)
    let table = try dense.weights.floats("embeddings.position_embeddings.weight")
    let local = try skip.weights.floats("embeddings.position_embeddings.weight")
    #expect(local[..<8] == table[..<8], "the rows before the first token's")
    #expect(local[8..<20] == table[12..<24], "the local positions are rows 3 to 5")
    #expect(local[20...] == table[20...])
    #expect(!skip.weights.names.contains { $0.contains("token_type") })
    let name = RelativeBias.tensorName
    #expect(try skip.weights.floats(name) == dense.weights.floats(name))
  }

  @Test func importsDistilBERT() throws {
    try distilBERT.write(to: source)
    _ = try store.importBase(from: source.path(), name: "small")
    let base = try store.load("small")
    #expect(base.configuration == distilBERT.configuration)
    #expect(base.tokenizer.encode("a", pair: "b").typeIDs == [0, 0, 0, 1, 1])
    let name = "encoder.layer.0.output.dense.weight"
    #expect(try base.weights.floats(name) == TinyModel.values(name, 24))
  }

  @Test func unknownArchitecturesAreRefusedByName() throws {
    for fields: [String: Any] in [
      ["model_type": "roberta"], ["model_type": NSNull(), "architectures": ["RobertaModel"]],
      ["model_type": NSNull()],
    ] {
      var model = TinyModel()
      for (key, value) in fields { model.fields[key] = value is NSNull ? nil : value }
      try? FileManager.default.removeItem(at: source)
      try model.write(to: source)
      let error = #expect(throws: BaseError.self) {
        try store.importBase(from: source.path(), name: "b")
      }
      let text = error?.description ?? ""
      #expect(text.contains("model_type") || text.contains("RobertaModel"))
    }
    #expect(try store.list().isEmpty)
  }

  /// The model's zip cut into `count` pieces, each in an archive.
  private func pieces(_ count: Int) throws -> [TemporaryFile] {
    try mpnet.write(to: source)
    var whole = HandmadeZip()
    for file in ["config.json", "vocab.txt", "model.safetensors"] {
      whole.add("m/\(file)", [UInt8](try Data(contentsOf: source.appending(path: file))))
    }
    let bytes = whole.finished()
    return try (0..<count).map { i in
      var wheel = HandmadeZip()
      wheel.add("p\(i)/__init__.py", [])
      wheel.add(
        "p\(i)/input/m.zip.00\(i + 1)",
        Array(bytes[i * bytes.count / count..<(i + 1) * bytes.count / count]))
      return try TemporaryFile(wheel.finished())
    }
  }

  @Test func importsWheelsThatHoldOneArchive() throws {
    let files = try pieces(3)
    let record = try store.importBase(from: files.map(\.path), name: "large")
    #expect(record.source == "m.zip")
    let direct = try store.importBase(from: source.path(), name: "direct")
    #expect(record.contentHash == direct.contentHash)
    let names = try FileManager.default.contentsOfDirectory(
      atPath: temporary.home.bases.path())
    #expect(names.sorted() == ["direct", "large"])
  }

  @Test func saysWhichPieceIsWrong() throws {
    let files = try pieces(3)
    let paths = files.map(\.path)
    func refusal(_ order: [Int]) -> String {
      let error = #expect(throws: (any Error).self) {
        try store.importBase(from: order.map { paths[$0] }, name: "b")
      }
      return error.map { "\($0)" } ?? ""
    }
    #expect(refusal([0, 1]).contains("is m.zip.003 missing"))
    #expect(refusal([0]).contains("is m.zip.002 missing"))
    #expect(refusal([0, 2]).contains("m.zip.002 is missing"))
    #expect(refusal([1, 2]).contains("m.zip.001 is missing"))
    #expect(refusal([0, 2, 1]).contains("m.zip.003 stands where m.zip.002 should"))
    #expect(refusal([0, 1, 1]).contains("m.zip.002 is given twice"))
    var bytes = [UInt8](try Data(contentsOf: URL(filePath: paths[1])))
    bytes[200] ^= 1
    let damaged = try TemporaryFile(bytes)
    let error = #expect(throws: ArchiveError.self) {
      try store.importBase(from: [paths[0], damaged.path, paths[2]], name: "b")
    }
    #expect(error?.description.contains(damaged.path) == true)
    #expect(
      throws: ArchiveError.part(
        path: source.path(), what: "it holds no piece of an archive (NAME.zip.001)")
    ) {
      try store.importBase(from: [paths[0], source.path()], name: "b")
    }
    #expect(try store.list().isEmpty)
  }
}
