import Compute
import Files
import Foundation
import Model
import Testing

@testable import Manager

/// What folders of sentence-transformers say beside the model.
@Suite struct FolderSentenceTests {
  private let modules: String = "modules.json"
  private let pooling: String = "1_Pooling/config.json"
  private let sentence: String = "sentence_bert_config.json"
  private let prompts: String = "config_sentence_transformers.json"

  private func refusal(_ files: [String: String]) throws -> String {
    try FolderTrial(files).refusal()
  }

  private func pooling(_ json: String, modules text: String? = FolderTrial.plainModules) throws
    -> Pooling?
  {
    var files = [pooling: json]
    files[modules] = text
    return try FolderTrial(files).load().record.pooling
  }

  @Test func poolingIsTheFolders() throws {
    for text in [FolderTrial.plainModules, nil] {
      #expect(
        try pooling(
          "{\"pooling_mode_mean_tokens\": true, \"word_embedding_dimension\": 4}", modules: text)
          == .mean)
      #expect(
        try pooling(
          "{\"pooling_mode_cls_token\": true, \"pooling_mode_mean_tokens\": false}", modules: text)
          == .cls)
      #expect(
        try pooling("{\"pooling_mode\": \"cls\", \"embedding_dimension\": 4}", modules: text)
          == .cls)
      #expect(
        try pooling("{\"pooling_mode\": [\"mean\"], \"include_prompt\": true}", modules: text)
          == .mean)
      // The newer member stands above the older ones; none of those on is the mean: as in the library.
      #expect(
        try pooling(
          "{\"pooling_mode\": \"cls\", \"pooling_mode_mean_tokens\": true}", modules: text) == .cls)
      #expect(try pooling("{\"pooling_mode_cls_token\": false}", modules: text) == .mean)
      #expect(try pooling("{}", modules: text) == nil)
    }
    #expect(try FolderTrial().load().record.pooling == nil)
  }

  @Test(arguments: [
    ("{\"pooling_mode_max_tokens\": true}", "pooling_mode_max_tokens is true: only mean and cls"),
    ("{\"pooling_mode_mean_sqrt_len_tokens\": true}", "pooling_mode_mean_sqrt_len_tokens is true"),
    ("{\"pooling_mode_weightedmean_tokens\": true}", "pooling_mode_weightedmean_tokens is true"),
    ("{\"pooling_mode_lasttoken\": true}", "pooling_mode_lasttoken is true"),
    ("{\"pooling_mode_some_other\": true}", "pooling_mode_some_other is true"),
    (
      "{\"pooling_mode_cls_token\": true, \"pooling_mode_mean_tokens\": true}",
      "cls_token and mean_tokens side by side"
    ),
    ("{\"pooling_mode\": \"max\"}", "pooling_mode is \"max\""),
    ("{\"pooling_mode\": [\"cls\", \"mean\"]}", "cls and mean side by side"),
    ("{\"pooling_mode\": []}", "pooling_mode is [], not a name"),
    ("{\"pooling_mode\": 3}", "pooling_mode is 3, not a list"),
    ("{\"pooling_mode_cls_token\": 1}", "pooling_mode_cls_token is 1, not true or false"),
    (
      "{\"word_embedding_dimension\": 768}",
      "word_embedding_dimension is 768: the encoder's states have 4"
    ),
    ("{\"embedding_dimension\": 768}", "embedding_dimension is 768"),
    ("{\"pooling_mode_cls_token\": true, \"pooling_mode_cls_token\": false}", "is there twice"),
    ("[", "it is not valid JSON"),
  ])
  func poolingThatIsRefused(json: String, said: String) throws {
    for text in [FolderTrial.plainModules, nil] {
      var files = [pooling: json]
      files[modules] = text
      let found = try refusal(files)
      #expect(found.contains("1_Pooling/config.json: ") && found.contains(said), "\(found)")
    }
  }

  private static let transformer: String = "sentence_transformers.models.Transformer"
  private static let mean: String = "sentence_transformers.models.Pooling"

  @Test(arguments: [
    (
      [(transformer, ""), (mean, "1_Pooling"), ("sentence_transformers.models.Dense", "2_Dense")],
      "a projection behind pooling"
    ),
    (
      [
        (transformer, ""), (mean, "1_Pooling"),
        ("sentence_transformers.base.modules.dense.Dense", "2_Dense"),
      ],
      "[2].type is"
    ),
    (
      [(transformer, ""), ("sentence_transformers.models.Normalize", ""), (mean, "1_Pooling")],
      "[1].type"
    ),
    ([(transformer, ""), (mean, "1_Pooling"), (mean, "2_Pooling")], "[2].type"),
    ([(transformer, ""), ("sentence_transformers.models.WeightedLayerPooling", "1")], "[1].type"),
    ([(transformer, ""), ("my_code.Pooling", "1_Pooling")], "code of its own"),
    ([(transformer, "")], "it has no Pooling"), ([], "it does not begin with a Transformer"),
    ([("sentence_transformers.models.WordEmbeddings", "")], "it does not begin with a Transformer"),
    ([(transformer, "0_Transformer"), (mean, "1_Pooling")], "[0].path is \"0_Transformer\""),
    ([(transformer, ""), (mean, "../1_Pooling")], "leads out of the folder"),
    ([(transformer, ""), (mean, "/1_Pooling")], "leads out of the folder"),
  ])
  func modulesThatAreRefused(types: [(String, String)], said: String) throws {
    let text = try refusal([modules: FolderTrial.modules(types), pooling: "{}"])
    #expect(text.contains("modules.json: ") && text.contains(said), "\(text)")
  }

  @Test func modulesThatAreTaken() throws {
    let cls = "{\"pooling_mode\": \"cls\"}"
    for types in [
      [(Self.transformer, ""), (Self.mean, "1_Pooling")],
      [
        ("sentence_transformers.base.modules.transformer.Transformer", ""),
        ("sentence_transformers.sentence_transformer.modules.pooling.Pooling", "1_Pooling"),
        ("sentence_transformers.models.Dropout", "2_Dropout"),
        ("sentence_transformers.base.modules.normalize.Normalize", "3_Normalize"),
      ],
    ] {
      let files = [modules: FolderTrial.modules(types), pooling: cls]
      #expect(try FolderTrial(files).load().record.pooling == .cls)
    }
    for json in ["{}", "[3]", "[{\"path\": \"\"}]", "[{\"type\": 3}]", ""] {
      #expect(try refusal([modules: json]).contains("modules.json: "))
    }
  }

  @Test func stepsWithoutModulesJSONAreSeenByTheirFolders() throws {
    let text = try refusal(["2_Dense/config.json": "{\"in_features\": 4}"])
    #expect(text.contains("2_Dense/config.json: a step behind the encoder"))
  }

  /// The oldest layout: the encoder in a folder of its own, and weights in a Dense step's too.
  @Test func theEncoderMayLieInAFolderOfItsOwn() throws {
    let trial = FolderTrial([
      modules: FolderTrial.modules([(Self.transformer, "0_Transformer"), (Self.mean, "1_Pooling")]),
      pooling: "{\"pooling_mode_cls_token\": true}", "config.json": "{\"__version__\": \"0.2\"}",
    ])
    func move() throws {
      try trial.write()
      let inner = trial.source.appending(path: "0_Transformer")
      try trial.model.write(to: inner)
      try Data("{\"max_seq_length\": 5}".utf8).write(
        to: inner.appending(path: "sentence_bert_config.json"))
      try FileManager.default.removeItem(at: trial.source.appending(path: "model.safetensors"))
      try FileManager.default.removeItem(at: trial.source.appending(path: "vocab.txt"))
    }
    try move()
    let record = try trial.store.importBase(from: trial.source.filePath, name: "old")
    #expect(record.pooling == .cls && record.maxLength == 5)
    try Data("{\"a\"".utf8).write(
      to: trial.source.appending(path: "0_Transformer/tokenizer_config.json"))
    let error = #expect(throws: BaseError.self) {
      try trial.store.importBase(from: trial.source.filePath, name: "b")
    }
    #expect(error?.description.contains("source/0_Transformer: tokenizer_config.json: ") == true)
  }

  @Test func theLengthIsTheFolders() throws {
    #expect(
      try FolderTrial([sentence: "{\"max_seq_length\": 5, \"do_lower_case\": false}"]).load().record
        .maxLength == 5)
    #expect(try FolderTrial([sentence: "{\"max_seq_length\": 512}"]).load().record.maxLength == 6)
    #expect(
      try FolderTrial([sentence: "{\"max_seq_length\": null}"]).load().record.maxLength == nil)
    // It stands above the tokeniser's.
    let both = [
      sentence: "{\"max_seq_length\": 5}", "tokenizer_config.json": "{\"model_max_length\": 4}",
    ]
    #expect(try FolderTrial(both).load().record.maxLength == 5)
    #expect(
      try FolderTrial(["sentence_distilbert_config.json": "{\"max_seq_length\": 4}"]).load().record
        .maxLength == 4)
  }

  @Test(arguments: [
    ("{\"max_seq_length\": 2}", "max_seq_length is 2: 3 is the least"),
    ("{\"max_seq_length\": -1}", "max_seq_length is -1"),
    ("{\"max_seq_length\": 5.5}", "max_seq_length is 5.5, not a whole number"),
    ("{\"max_seq_length\": \"5\"}", "max_seq_length is \"5\", not a whole number"),
    ("{\"transformer_task\": \"fill-mask\"}", "transformer_task is \"fill-mask\""),
    ("{\"module_output_name\": \"x\"}", "module_output_name"),
    ("{\"modality_config\": {\"image\": {}}}", "modality_config is {\"image\"}"),
    (
      "{\"modality_config\": {\"text\": {\"method_output_name\": \"pooler_output\"}}}",
      "method_output_name"
    ),
    ("{\"query_length\": 32}", "query_length is 32"),
    ("{\"tokenizer_args\": {\"x\": 1}}", "tokenizer_args"),
    ("{\"processing_kwargs\": {\"text\": {\"truncation\": false}}}", "processing_kwargs"),
    ("{\"max_seq_length\": 5,}", "it is not valid JSON"),
  ])
  func sentenceSettingsThatAreRefused(json: String, said: String) throws {
    let text = try refusal([sentence: json])
    #expect(text.contains("sentence_bert_config.json: ") && text.contains(said), "\(text)")
  }

  /// sentence-transformers 6.2 lower-cases itself only where the tokeniser does not.
  @Test func lowerCasingIsTheTokenisers() throws {
    let both = "{\"do_lower_case\": true}"
    _ = try FolderTrial([sentence: both]).load()
    let cased = [sentence: both, "tokenizer_config.json": "{\"do_lower_case\": false}"]
    #expect(try refusal(cased).contains("sentence_bert_config.json: do_lower_case is true"))
  }

  @Test func promptsThatEveryTextWouldGet() throws {
    func json(_ name: String, _ more: String = "") -> String {
      "{\"prompts\": {\"query\": \"query: \", \"plain\": \"\"}, \"default_prompt_name\": \(name)\(more)}"
    }
    let text = try refusal([prompts: json("\"query\"")])
    #expect(
      text.contains(
        "config_sentence_transformers.json: default_prompt_name is \"query\": every text")
        && text.contains("\"query: \""))
    #expect(try refusal([prompts: json("\"other\"")]).contains("prompts has none of that name"))
    #expect(try refusal([prompts: json("3")]).contains("default_prompt_name is 3, not text"))
    #expect(
      try refusal([prompts: json("null", ", \"model_type\": \"SparseEncoder\"")]).contains(
        "model_type"))
    for settings in [
      json("null"), json("\"plain\""), "{\"__version__\": {}, \"similarity_fn_name\": \"dot\"}",
    ] {
      _ = try FolderTrial([prompts: settings]).load()
    }
    let without = [
      modules: FolderTrial.plainModules,
      pooling: "{\"pooling_mode\": \"mean\", \"include_prompt\": false}",
    ]
    _ = try FolderTrial(without).load()
    let with = without.merging([prompts: json("null")]) { $1 }
    #expect(try refusal(with).contains("include_prompt is false"))
  }

  @Test func defaultsGoOnToSkipBasesAndCopies() throws {
    var trial = FolderTrial([
      modules: FolderTrial.plainModules, pooling: "{\"pooling_mode\": \"cls\"}",
      sentence: "{\"max_seq_length\": 5}",
    ])
    try trial.write()
    let record = try trial.store.importBase(from: trial.source.filePath, name: "b")
    let expected = BaseDefaults(pooling: .cls, maxLength: 5)
    #expect(record.defaults == expected)
    #expect(try trial.store.record("b").defaults == expected, "as base.json has it, sealed")
    #expect(try trial.store.makeSkip(base: "b", depth: 1, name: "s").defaults == expected)
    let copy = try trial.store.importBase(
      from: trial.store.directory("b").filePath, name: "copy")
    #expect(copy.defaults == expected && copy.contentHash == record.contentHash)
    // Content is what is computed; the defaults are not part of it.
    trial.files = [:]
    try trial.write()
    let bare = try trial.store.importBase(from: trial.source.filePath, name: "bare")
    #expect(bare.defaults == BaseDefaults() && bare.contentHash == record.contentHash)
  }

  @Test func defaultsByTask() {
    let none = BaseDefaults()
    #expect(
      none.pooling(for: .embed) == .mean && none.maxLength(for: .embed, positions: 512) == 128)
    let folder = BaseDefaults(pooling: .cls, maxLength: 256)
    #expect(folder.pooling(for: .embed) == .cls && folder.pooling(for: .classify) == .mean)
    #expect(folder.maxLength(for: .embed, positions: 512) == 256)
    #expect(folder.maxLength(for: .embed, positions: 64) == 64)
    #expect(folder.maxLength(for: .classify, positions: 512) == 128)
    let short = BaseDefaults(maxLength: 75)
    #expect(VBertTask.allCases.allSatisfy { short.maxLength(for: $0, positions: 512) == 75 })
  }
}
