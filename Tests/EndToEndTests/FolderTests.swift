import Foundation
import Testing

/// What a model's folder says of itself reaches the vBERTs on it, and the words of refusals reach the user.
@Suite struct FolderTests {
  private let vbert: VbertProcess
  private var model: URL { vbert.home.appending(path: "checkpoint") }

  init() throws {
    vbert = try VbertProcess()
    try TinyCheckpoint.write(to: model)
  }

  private func write(_ text: String, _ name: String) throws {
    let file = model.appending(path: name)
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: file)
  }

  private func created(_ name: String, _ task: String, _ more: String...) throws -> [String: Any] {
    let output = try vbert.run(["create", name, "--task", task, "--json"] + more)
    guard output.status == 0 else { throw VbertProcess.Failure(description: output.stderr) }
    return try #require(
      try JSONSerialization.jsonObject(with: Data(output.stdout.utf8)) as? [String: Any])
  }

  @Test func embeddingsPoolAsTheFolderSays() throws {
    defer { vbert.removeHome() }
    try write(
      "{\"pooling_mode_cls_token\": true, \"word_embedding_dimension\": 32}",
      "1_Pooling/config.json")
    try write("{\"max_seq_length\": 24}", "sentence_bert_config.json")
    try vbert.succeed("base", "import", model.path(), "--name", "tiny")
    let embed = try created("e", "embed")
    #expect(embed["pooling"] as? String == "cls" && embed["max_length"] as? Int == 24)
    let asked = try created("f", "embed", "--pooling", "mean", "--max-length", "16")
    #expect(asked["pooling"] as? String == "mean" && asked["max_length"] as? Int == 16)
    let classifier = try created("c", "classify")
    #expect(classifier["pooling"] as? String == "mean" && classifier["max_length"] as? Int == 24)
    try vbert.succeed("base", "skip", "--base", "tiny", "--skip", "2", "--name", "tiny-skip2")
    let skip = try created("s", "embed", "--base", "tiny-skip2")
    #expect(skip["pooling"] as? String == "cls" && skip["max_length"] as? Int == 24)
  }

  @Test func refusalsNameTheUsersFileAndNoDecoder() throws {
    defer { vbert.removeHome() }
    func refused(_ arguments: String...) throws -> String {
      let output = try vbert.run(arguments)
      #expect(output.status == 1, "\(arguments)")
      for word in [
        "Swift.", "DecodingError", "dataCorrupted", "NSCocoa", ".staging-", "header byte",
      ] {
        #expect(!output.stderr.contains(word), "\(output.stderr)")
      }
      return output.stderr
    }
    try write("{\"do_lower_case\": true, \"do_lower_case\": false}", "tokenizer_config.json")
    #expect(
      try refused("base", "import", model.path(), "--name", "b")
        .contains("checkpoint: tokenizer_config.json: the member \"do_lower_case\" is there twice"))
    try write("{}", "tokenizer_config.json")
    try write("x", "model.safetensors")
    #expect(
      try refused("base", "import", model.path(), "--name", "b")
        .contains("checkpoint/model.safetensors is not a valid safetensors file"))
    let other = vbert.home.appending(path: "adapter")
    try FileManager.default.createDirectory(at: other, withIntermediateDirectories: true)
    try Data("{\"peft_type\": \"LORA\"}".utf8).write(
      to: other.appending(path: "adapter_config.json"))
    #expect(try refused("import", other.path()).contains("adapter_config.json: an adapter of PEFT"))
    #expect(
      try refused("base", "import", other.path(), "--name", "b").contains(
        "adapter_config.json: an adapter"))
    #expect(try refused("import", model.path()).contains("config.json: a model"))
    let list = vbert.home.appending(path: "jobs.jsonl")
    for (line, said) in [
      (
        "{\"name\": \"a\", \"data\": \"x\", \"epochs\": 1.5}",
        "line 1: the number 1.5 (column 38) is a fraction"
      ),
      (
        "{\"name\": \"a\", \"name\": \"b\", \"data\": \"x\"}",
        "line 1: the member \"name\" is there twice"
      ),
      ("{\"name\": \"a\"", "line 1: it is not valid JSON"),
      ("{\"name\": \"a\"}", "line 1: the field \"data\" is missing"),
      (
        "{\"name\": \"a\", \"data\": \"x\"}\r\n\t\r\n{\"name\": \"b\"}\r\n",
        "line 3: the field \"data\" is missing"
      ),
    ] {
      try Data(line.utf8).write(to: list)
      #expect(try refused("train", "--many", list.path()).contains(said), "\(line)")
    }
  }
}
