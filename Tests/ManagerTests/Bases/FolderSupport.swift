import Files
import Foundation
import Model
import TestSupport
import Testing

@testable import Manager

/// A folder of a small model with files that a test changes one by one.
struct FolderTrial {
  let temporary = TemporaryHome()
  var model = FolderTrial.model
  /// Files beside the model's, by path: text as it stands.
  var files: [String: String] = [:]
  /// Files to take away.
  var without: [String] = []

  static let words = [
    "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "A", "é", "É", "e", "b", "##c", "一", "##一",
  ]

  private static var model: TinyModel {
    var model = TinyModel()
    model.configuration.vocabularySize = words.count
    model.fields["vocab_size"] = words.count
    model.vocabulary = words.map { $0 + "\n" }.joined()
    return model
  }

  init() {}

  /// With these files.
  init(_ files: [String: String]) { self.files = files }

  var store: BaseStore { BaseStore(home: temporary.home) }
  var source: URL { temporary.home.root.appending(path: "source", directoryHint: .isDirectory) }

  func write() throws {
    try? FileManager.default.removeItem(at: source)
    try model.write(to: source)
    for (name, text) in files {
      let file = source.appending(path: name)
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: file)
    }
    for name in without { try FileManager.default.removeItem(at: source.appending(path: name)) }
  }

  /// Imports it under a fresh name.
  func load() throws -> Base {
    try write()
    let name = "b\(UInt64.random(in: 0..<1 << 40))"
    _ = try store.importBase(from: source.filePath, name: name)
    return try store.load(name)
  }

  /// What the import says against it; nothing has appeared, and no place that is not the user's is named.
  func refusal(_ location: SourceLocation = #_sourceLocation) throws -> String {
    try write()
    let error = #expect(throws: (any Error).self, sourceLocation: location) {
      try store.importBase(from: source.filePath, name: "refused")
    }
    let text = error.map { "\($0)" } ?? ""
    #expect(try !store.exists("refused"), sourceLocation: location)
    for word in [
      ".staging", "Swift.", "typeMismatch", "keyNotFound", "dataCorrupted", "header byte",
    ] {
      #expect(!text.contains(word), "\(text)", sourceLocation: location)
    }
    let place = String(source.filePath.dropLast(source.filePath.hasSuffix("/") ? 1 : 0))
    #expect(text.contains(place), "\(text)", sourceLocation: location)
    #expect(text.ranges(of: place).count == 1, "\(text)", sourceLocation: location)
    return text
  }

  /// tokenizer.json of the same vocabulary.
  static func tokenizer(
    lowercase: Bool = true, stripAccents: String = "null", chinese: Bool = true,
    added: String = "", change: (String) -> String = { $0 }
  ) -> String {
    let vocabulary = words.enumerated().map { "\"\($1)\": \($0)" }.joined(separator: ", ")
    let special = words.prefix(5).enumerated().map {
      "{\"id\": \($0), \"content\": \"\($1)\", \"special\": true}"
    }.joined(separator: ", ")
    return change(
      """
      {"version": "1.0", "truncation": null, "padding": null,
       "added_tokens": [\(special)\(added.isEmpty ? "" : ", " + added)],
       "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": \(chinese),
        "strip_accents": \(stripAccents), "lowercase": \(lowercase)},
       "pre_tokenizer": {"type": "BertPreTokenizer"},
       "post_processor": {"type": "TemplateProcessing",
        "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
         {"SpecialToken": {"id": "[SEP]", "type_id": 0}}],
        "pair": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
         {"SpecialToken": {"id": "[SEP]", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}},
         {"SpecialToken": {"id": "[SEP]", "type_id": 1}}],
        "special_tokens": {"[CLS]": {"id": "[CLS]", "ids": [2], "tokens": ["[CLS]"]},
         "[SEP]": {"id": "[SEP]", "ids": [3], "tokens": ["[SEP]"]}}},
       "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": true},
       "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
        "max_input_chars_per_word": 100, "vocab": {\(vocabulary)}}}
      """)
  }

  static func modules(_ types: [(String, String)]) -> String {
    "["
      + types.enumerated().map { index, module in
        "{\"idx\": \(index), \"name\": \"\(index)\", \"path\": \"\(module.1)\", \"type\": \"\(module.0)\"}"
      }.joined(separator: ", ") + "]"
  }

  static let plainModules = modules([
    ("sentence_transformers.models.Transformer", ""),
    ("sentence_transformers.models.Pooling", "1_Pooling"),
    ("sentence_transformers.models.Normalize", "2_Normalize"),
  ])
}
