import Foundation
import Testing

@testable import Manager
@testable import Model

/// How text becomes ids, said in several files of one folder.
@Suite struct FolderTokenizerTests {
  private let tokenizer: String = "tokenizer.json"
  private let settings: String = "tokenizer_config.json"

  private func ids(_ files: [String: String]) throws -> [Int32] {
    try FolderTrial(files).load().tokenizer.encode("A É a一一", addSpecialTokens: false).ids
  }

  private func refusal(_ files: [String: String]) throws -> String {
    try FolderTrial(files).refusal()
  }

  /// The ids are those of transformers 4.57.6 and 5.24.0, which agree:
  /// AutoTokenizer.from_pretrained(folder)(text, add_special_tokens=False).
  @Test(arguments: [
    ("{}", true, [5, 9, 5, 12, 12]),
    ("{\"do_lower_case\": false}", true, [6, 8, 5, 12, 12]),
    ("{\"do_lower_case\": false}", false, [6, 8, 5, 12, 12]),
    ("{\"do_lower_case\": true}", true, [5, 9, 5, 12, 12]),
    ("{\"do_lower_case\": true}", false, [5, 9, 5, 12, 12]),
    ("{\"strip_accents\": false}", true, [5, 7, 5, 12, 12]),
    ("{\"strip_accents\": true}", true, [5, 9, 5, 12, 12]),
    ("{\"tokenize_chinese_chars\": false}", true, [5, 9, 5, 13, 13]),
    (
      "{\"tokenizer_class\": \"BertTokenizer\", \"do_lower_case\": false}", true, [6, 8, 5, 12, 12]
    ),
    (
      "{\"tokenizer_class\": \"BertTokenizerFast\", \"do_lower_case\": false}", true,
      [6, 8, 5, 12, 12]
    ),
    // Classes that take tokenizer.json as it is.
    ("{\"tokenizer_class\": \"PreTrainedTokenizerFast\"}", false, [6, 8, 5, 12, 12]),
    (
      "{\"tokenizer_class\": \"PreTrainedTokenizerFast\", \"do_lower_case\": false}", true,
      [5, 9, 5, 12, 12]
    ),
    (
      "{\"tokenizer_class\": \"TokenizersBackend\", \"tokenize_chinese_chars\": false}", true,
      [5, 9, 5, 12, 12]
    ),
  ])
  func settingsStandAboveTokenizerJSON(json: String, lowercase: Bool, expected: [Int32]) throws {
    #expect(
      try ids([tokenizer: FolderTrial.tokenizer(lowercase: lowercase), settings: json]) == expected,
      "\(json)")
  }

  @Test func vocabularyAloneTakesTheSettings() throws {
    #expect(try ids([:]) == [5, 9, 5, 12, 12])
    #expect(try ids([settings: "{\"do_lower_case\": false}"]) == [6, 8, 5, 12, 12])
    #expect(try ids([settings: "{\"strip_accents\": false}"]) == [5, 7, 5, 12, 12])
  }

  @Test func silenceThatReadersTakeDifferentlyIsRefused() throws {
    let cased = try refusal([tokenizer: FolderTrial.tokenizer(lowercase: false)])
    #expect(cased.contains("tokenizer.json: normalizer.lowercase is false"))
    #expect(cased.contains("say do_lower_case false or true there"))
    for (json, member) in [
      (FolderTrial.tokenizer(stripAccents: "false"), "normalizer.strip_accents is false"),
      (FolderTrial.tokenizer(chinese: false), "normalizer.handle_chinese_chars is false"),
    ] {
      #expect(try refusal([tokenizer: json, settings: "{}"]).contains(member))
      #expect(
        try refusal([tokenizer: json, settings: "{\"do_lower_case\": true}"]).contains(member))
    }
    // Said as what follows from the case anyway.
    #expect(
      try ids([tokenizer: FolderTrial.tokenizer(stripAccents: "true"), settings: "{}"])
        == [5, 9, 5, 12, 12])
  }

  @Test(arguments: [
    ("{\"truncation_side\": \"left\"}", "truncation_side is \"left\""),
    ("{\"split_special_tokens\": true}", "split_special_tokens is true"),
    (
      "{\"tokenizer_class\": \"BertJapaneseTokenizer\"}",
      "tokenizer_class is \"BertJapaneseTokenizer\""
    ),
    (
      "{\"tokenizer_class\": \"DistilBertTokenizer\"}", "tokenizer_class is \"DistilBertTokenizer\""
    ),
    ("{\"tokenizer_class\": \"RobertaTokenizerFast\"}", "tokenizer_class"),
    ("{\"auto_map\": {\"AutoTokenizer\": [\"x.Y\", null]}}", "auto_map is {\"AutoTokenizer\"}"),
    ("{\"model_input_names\": [\"input_ids\", \"attention_mask\"]}", "model_input_names"),
    ("{\"cls_token\": \"a\"}", "cls_token is \"a\": this family's is [CLS]"),
    ("{\"sep_token\": \"</s>\"}", "sep_token is \"</s>\""),
    ("{\"unk_token\": \"a\"}", "unk_token is \"a\""),
    ("{\"mask_token\": {\"content\": \"<mask>\"}}", "mask_token"),
    ("{\"mask_token\": {\"content\": \"[MASK]\", \"single_word\": true}}", "single_word"),
    ("{\"eos_token\": \"<eos>\"}", "eos_token is \"<eos>\""),
    ("{\"additional_special_tokens\": [\"[E1]\"]}", "\"[E1]\" would be found in texts"),
    ("{\"extra_special_tokens\": {\"entity\": \"[E1]\"}}", "\"[E1]\" would be found in texts"),
    ("{\"extra_special_tokens\": [\"[E1]\"]}", "\"[E1]\" would be found in texts"),
    (
      "{\"added_tokens_decoder\": {\"14\": {\"content\": \"[E1]\"}}}",
      "added_tokens_decoder.14.content is \"[E1]\""
    ),
    (
      "{\"added_tokens_decoder\": {\"4\": {\"content\": \"[CLS]\"}}}", "has \"[CLS]\" as 2, not 4"
    ),
    (
      "{\"added_tokens_decoder\": {\"2\": {\"content\": \"[CLS]\", \"single_word\": true}}}",
      "added_tokens_decoder.2.single_word is true"
    ),
    ("{\"model_max_length\": 2}", "model_max_length is 2"),
    ("{\"model_max_length\": 5.5}", "model_max_length is 5.5"),
    ("{\"model_max_length\": \"512\"}", "model_max_length is \"512\", not a number"),
    ("{\"do_lower_case\": \"no\"}", "do_lower_case is \"no\", not true or false"),
    ("{\"do_lower_case\": true, \"do_lower_case\": false}", "\"do_lower_case\" is there twice"),
    ("{\"do_lower_case\": true,}", "it is not valid JSON: expected '\"' at column 24"),
    ("[]", "it is [], not a JSON object"), ("", "it is empty"),
  ])
  func settingsThatAreRefused(json: String, said: String) throws {
    for files in [[settings: json], [settings: json, tokenizer: FolderTrial.tokenizer()]] {
      let text = try refusal(files)
      #expect(text.contains("tokenizer_config.json: ") && text.contains(said), "\(text)")
    }
  }

  @Test func harmlessSettingsAreTaken() throws {
    let json = """
      {"do_lower_case": true, "unk_token": "[UNK]", "sep_token": "[SEP]", "pad_token": "[PAD]",
       "cls_token": {"content": "[CLS]", "lstrip": false}, "mask_token": "[MASK]", "bos_token": null,
       "tokenize_chinese_chars": true, "strip_accents": null, "name_or_path": "x", "never_split": null,
       "do_basic_tokenize": true, "tokenizer_class": "BertTokenizer", "truncation_side": "right",
       "padding_side": "left", "clean_up_tokenization_spaces": true, "additional_special_tokens": [],
       "model_input_names": ["input_ids", "token_type_ids", "attention_mask"],
       "added_tokens_decoder": {"2": {"content": "[CLS]", "normalized": false, "special": true}},
       "model_max_length": 1000000000000000019884624838656}
      """
    for files in [[settings: json], [settings: json, tokenizer: FolderTrial.tokenizer()]] {
      let base = try FolderTrial(files).load()
      #expect(base.record.maxLength == nil && base.record.pooling == nil)
    }
    #expect(try FolderTrial([settings: "{\"model_max_length\": 4}"]).load().record.maxLength == 4)
    // No longer than the base reads.
    #expect(try FolderTrial([settings: "{\"model_max_length\": 512}"]).load().record.maxLength == 6)
  }

  @Test func otherFilesThatNameTokens() throws {
    let map = "special_tokens_map.json"
    for (json, said) in [
      ("{\"cls_token\": \"<s>\"}", "special_tokens_map.json: cls_token is \"<s>\""),
      ("{\"additional_special_tokens\": [{\"content\": \"[E1]\"}]}", "\"[E1]\" would be found"),
      ("{\"cls_token\": 3}", "cls_token is 3, not a token"), ("{", "it is not valid JSON"),
    ] {
      #expect(try refusal([map: json]).contains(said))
    }
    _ = try FolderTrial([map: "{\"cls_token\": \"[CLS]\", \"pad_token\": {\"content\": \"[PAD]\"}}"]
    ).load()
    let added = "added_tokens.json"
    for (json, said) in [
      ("{\"[E1]\": 14}", "added_tokens.json: [E1] is 14: \"[E1]\" would be found"),
      ("{\"[CLS]\": 5}", "has \"[CLS]\" as 2, not 5"),
      ("{\"[CLS]\": \"2\"}", "[CLS] is \"2\", not a whole number"),
    ] {
      let text = try refusal([added: json])
      #expect(text.contains(said), "\(text)")
    }
    _ = try FolderTrial([added: "{\"[MASK]\": 4}"]).load()
  }

  @Test func addedTokensOfTokenizerJSONAreFound() throws {
    var trial = FolderTrial([
      tokenizer: FolderTrial.tokenizer(
        added: "{\"id\": 14, \"content\": \"[E1]\", \"normalized\": true}"),
      settings: "{\"additional_special_tokens\": [\"[E1]\"]}",
      "added_tokens.json": "{\"[E1]\": 14}",
      "special_tokens_map.json": "{\"additional_special_tokens\": [\"[E1]\"]}",
    ])
    #expect(try trial.refusal().contains("15 tokens"), "there is no row for it")
    trial.model.configuration.vocabularySize = 15
    trial.model.fields["vocab_size"] = 15
    let base = try trial.load()
    #expect(base.tokenizer.encode("a[e1]b", addSpecialTokens: false).ids == [5, 14, 10])
  }

  @Test(arguments: [
    ("\"BertNormalizer\"", "\"NFC\"", "normalizer is NFC: it must be BertNormalizer alone"),
    (
      "{\"type\": \"BertNormalizer\"",
      "{\"type\": \"Sequence\", \"normalizers\": [{\"type\": \"NFKC\"}, {\"type\": \"BertNormalizer\"}]",
      "normalizer is Sequence of NFKC, BertNormalizer"
    ),
    ("\"clean_text\": true", "\"clean_text\": false", "normalizer.clean_text is false"),
    ("\"BertPreTokenizer\"", "\"Whitespace\"", "pre_tokenizer is Whitespace"),
    (
      "{\"type\": \"BertPreTokenizer\"",
      "{\"type\": \"Sequence\", \"pretokenizers\": [{\"type\": \"Digits\"}, {\"type\": \"BertPreTokenizer\"}]",
      "pre_tokenizer is Sequence of Digits, BertPreTokenizer"
    ),
    ("\"TemplateProcessing\"", "\"ByteLevel\"", "post_processor is ByteLevel"),
    ("\"ids\": [2]", "\"ids\": [5]", "[CLS].ids is [5]: the vocabulary has [CLS] as 2"),
    ("\"ids\": [3]", "\"ids\": [3, 3]", "[SEP].ids is [3, 3]"),
    (
      "\"single\": [{\"SpecialToken\": {\"id\": \"[CLS]\", \"type_id\": 0}}, ", "\"single\": [",
      "post_processor.single is [A:0, [SEP]:0]"
    ),
    (
      "{\"id\": \"B\", \"type_id\": 1}", "{\"id\": \"B\", \"type_id\": 0}", "post_processor.pair is"
    ),
    (
      "\"decoder\": {\"type\": \"WordPiece\"", "\"decoder\": {\"type\": \"BPEDecoder\"",
      "decoder.type is \"BPEDecoder\""
    ),
    ("\"type\": \"WordPiece\", \"unk", "\"type\": \"BPE\", \"unk", "model.type is \"BPE\""),
    ("\"unk_token\": \"[UNK]\"", "\"unk_token\": \"a\"", "model.unk_token is \"a\""),
    (
      "\"max_input_chars_per_word\": 100", "\"max_input_chars_per_word\": 200",
      "model.max_input_chars_per_word is 200"
    ),
    (
      "\"continuing_subword_prefix\": \"##\"", "\"continuing_subword_prefix\": \"@@\"",
      "model.continuing_subword_prefix"
    ),
    (
      "\"truncation\": null",
      "\"truncation\": {\"max_length\": 4, \"direction\": \"Left\", \"strategy\": \"LongestFirst\", \"stride\": 0}",
      "truncation.direction is \"Left\""
    ),
    ("\"a\": 5, ", "\"a\": 5, \"a\": 6, ", "\"a\" is there twice"),
    ("\"a\": 5, ", "\"a\": 6, ", "two tokens have the id 6"),
    ("\"a\": 5, ", "\"a\": -5, ", "model.vocab.a is -5"),
    ("\"a\": 5, ", "\"a\": 5.5, ", "model.vocab.a is 5.5"),
    ("\"a\": 5, ", "\"x\": 5, ", "vocab.txt: line 6 is \"a\": tokenizer.json has \"x\" there"),
    (
      "\"version\": \"1.0\",", "\"version\": \"1.0\"",
      "it is not valid JSON: expected ',' or '}' at column"
    ),
  ])
  func tokenizerJSONThatIsRefused(old: String, new: String, said: String) throws {
    let json = FolderTrial.tokenizer()
    try #require(json.contains(old), "\(old)")
    let text = try refusal([tokenizer: json.replacing(old, with: new)])
    #expect(text.contains("tokenizer.json") && text.contains(said), "\(text)")
  }

  @Test func whatOfTokenizerJSONIsNotUsedOrSaysTheSame() throws {
    let json = FolderTrial.tokenizer { json in
      json.replacing(
        "\"truncation\": null",
        with:
          "\"truncation\": {\"max_length\": 3, \"direction\": \"Right\", \"strategy\": \"LongestFirst\"}"
      ).replacing("\"padding\": null", with: "\"padding\": {\"strategy\": {\"Fixed\": 128}}")
        .replacing(
          "{\"type\": \"BertPreTokenizer\"}",
          with: "{\"type\": \"Sequence\", \"pretokenizers\": [{\"type\": \"BertPreTokenizer\"}]}"
        )
        .replacing(
          "\"decoder\": {\"type\": \"WordPiece\", \"prefix\": \"##\", \"cleanup\": true}",
          with: "\"decoder\": null")
    }
    let base = try FolderTrial([tokenizer: json]).load()
    #expect(base.tokenizer.encode("a b a").ids == [2, 5, 10, 5, 3])
    #expect(base.record.maxLength == nil)
  }

  @Test func vocabulariesOfOtherKindsAreNamed() throws {
    for (file, said) in [
      ("spiece.model", "spiece.model: a SentencePiece vocabulary"),
      ("merges.txt", "merges.txt: a byte-level vocabulary"),
      ("notes.txt", "vocab.txt: it is missing"),
    ] {
      var trial = FolderTrial([file: "x"])
      trial.without = ["vocab.txt"]
      let text = try trial.refusal()
      #expect(text.contains(said) && text.contains("WordPiece"), "\(text)")
    }
  }
}
