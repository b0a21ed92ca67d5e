import Compute
import Foundation
import TestSupport
import Testing

@testable import Model

/// Whatever the files of a folder hold, they are judged or refused.
@Suite struct FolderFuzzTests {
  private static let files: [String: String] = [
    "config.json": """
    {"model_type": "bert", "architectures": ["BertModel"], "hidden_act": "gelu", "vocab_size": 14,
     "hidden_size": 4, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 6,
     "max_position_embeddings": 6, "is_decoder": false, "pruned_heads": {}, "adapters": {"adapters": {}}}
    """,
    "vocab.txt": "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nb\n##c\n",
    "tokenizer_config.json": """
    {"do_lower_case": true, "cls_token": {"content": "[CLS]"}, "model_max_length": 512,
     "added_tokens_decoder": {"2": {"content": "[CLS]", "normalized": false}}, "truncation_side": "right"}
    """,
    "special_tokens_map.json":
      "{\"cls_token\": \"[CLS]\", \"additional_special_tokens\": [\"[SEP]\"]}",
    "added_tokens.json": "{\"[MASK]\": 4}",
    "modules.json": """
    [{"idx": 0, "path": "", "type": "sentence_transformers.models.Transformer"},
     {"idx": 1, "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"}]
    """,
    "1_Pooling/config.json": "{\"pooling_mode\": [\"cls\"], \"word_embedding_dimension\": 4}",
    "sentence_bert_config.json": """
    {"max_seq_length": 5, "do_lower_case": false, "modality_config": {"text": {"method": "forward"}}}
    """,
    "config_sentence_transformers.json":
      "{\"prompts\": {\"q\": \"\"}, \"default_prompt_name\": \"q\"}",
  ]

  private func judge(_ files: [String: [UInt8]]) throws -> ModelFolder {
    let folder = FolderFiles(names: Set(files.keys)) { files[$0] }
    return try ModelFolder(files: folder, root: folder, place: "")
  }

  @Test func theFolderIsTaken() throws {
    let folder = try judge(Self.files.mapValues { Array($0.utf8) })
    #expect(folder.pooling == .cls && folder.maxLength == 5)
  }

  @Test func fuzzedFoldersNeverTrap() throws {
    let names = Self.files.keys.sorted()
    let json = try Fixture.bytes("wordpiece.tokenizer.json")
    let settings = Array("{}".utf8)
    var taken = 0
    Fuzz.run { generator, seed in
      var files = Self.files.mapValues { Array($0.utf8) }
      for _ in 0..<20 {
        guard let name = names.randomElement(using: &generator) else { return }
        var bytes = files[name] ?? []
        generator.mutate(&bytes)
        let before = files.updateValue(bytes, forKey: name)
        do {
          _ = try judge(files)
          taken += 1
        } catch {
          let text = "\(error)"
          #expect(
            !text.isEmpty && text.utf8.count < 2000 && !text.contains("Swift."),
            "seed \(seed): \(text)")
          files[name] = before
        }
      }
      var tokenizer = json
      generator.mutate(&tokenizer)
      if let made = try? WordPiece(
        tokenizerJSON: tokenizer, vocabulary: nil, configuration: settings)
      {
        _ = made.encode("the cat [MASK] sat <e> \u{E9}", pair: "b")
      }
    }
    #expect(taken > 0)
  }
}
