import Foundation
import HTTPTypes
import Manager
import ServingSupport
import TestSupport
import Testing

@testable import Dispatcher

/// The Open Inference Protocol v2, in JSON and with tensors as bytes.
@Suite(.timeLimit(.minutes(10))) struct KServeTests {
  /// Each text behind its length, as Triton's clients write them.
  private static func bytes(_ texts: [String]) -> [UInt8] {
    texts.flatMap { text in
      (0..<4).map { UInt8(truncatingIfNeeded: text.utf8.count >> (8 * $0)) } + Array(text.utf8)
    }
  }

  private static func floats(_ bytes: ArraySlice<UInt8>) -> [Double] {
    let bytes = Array(bytes)
    return stride(from: 0, to: bytes.count - 3, by: 4).map { at in
      let bits = (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[at + $1]) << UInt32(8 * $1) }
      return Double(Float(bitPattern: bits))
    }
  }

  private static func input(_ texts: [String], name: String = "text") -> String {
    let list = texts.map { "\"\($0)\"" }.joined(separator: ", ")
    return
      #"{"name": "\#(name)", "shape": [\#(texts.count)], "datatype": "BYTES", "data": [\#(list)]}"#
  }

  private static func outputs(_ answer: Client.Answer) -> [String: [String: Any]] {
    let list = answer.object["outputs"] as? [[String: Any]] ?? []
    return Dictionary(uniqueKeysWithValues: list.map { ($0["name"] as? String ?? "", $0) })
  }

  @Test func theServerAndItsModelsAreTold() async throws {
    let server = try await TinyServer()
    try await server.test { client in
      let about = try await client.get("/v2").object
      #expect(about["name"] as? String == "vbert")
      #expect(about["extensions"] as? [String] == ["binary_tensor_data"])
      #expect(try await client.get("/v2/health/live").text == #"{"live":true}"#)
      #expect(try await client.get("/v2/health/ready").status == 200)
      for path in ["/v2/models/topic", "/v2/models/topic/versions/1"] {
        #expect(try await client.get("\(path)/ready").text == #"{"ready":true}"#)
        let model = try await client.get(path).object
        #expect(model["versions"] as? [String] == ["1"] && model["platform"] as? String == "vbert")
        #expect(model["labels"] as? [String] == ["a", "b", "c"])
        let (inputs, outputs) = (
          model["inputs"] as? [[String: Any]] ?? [], model["outputs"] as? [[String: Any]] ?? []
        )
        #expect(inputs.map { $0["name"] as? String } == ["text", "text_pair"])
        #expect(inputs[1]["optional"] as? Bool == true)
        #expect(outputs.map { $0["name"] as? String } == ["label", "scores"])
        #expect(outputs[1]["shape"] as? [Int] == [-1, 3])
      }
      let meaning = try await client.get("/v2/models/meaning").object["outputs"] as? [[String: Any]]
      #expect(meaning?.first?["shape"] as? [Int] == [-1, 32])
      for path in ["nobody", "nobody/ready", "topic/versions/2", "topic/versions/2/ready"] {
        let answer = try await client.get("/v2/models/\(path)")
        #expect(answer.status == 404 && answer.object.keys.sorted() == ["error"])
      }
      let wrong = try await client.get("/v2/models/topic/infer")
      #expect(
        wrong.status == 405 && wrong.object["error"] as? String == "this path takes POST, OPTIONS")
      #expect(try await client.get("/v2/nothing").object.keys.sorted() == ["error"])
    }
    #expect(
      server.dispatcher.routes.filter { $0.path.hasPrefix("/v2") && $0.isOpen }.count == 3
    )
  }

  @Test func everyTaskHasItsOutputs() async throws {
    try await TinyServer().test { client in
      func ask(_ name: String, _ inputs: String, _ more: String = "") async throws -> Client.Answer
      {
        try await client.post("/v2/models/\(name)/infer", #"{"inputs": [\#(inputs)]\#(more)}"#)
      }
      let texts = ["the cat sat", "a dog", "ann in london"]
      let list = texts.map { "\"\($0)\"" }.joined(separator: ", ")

      let embed = try await ask("meaning", Self.input(texts), #", "id": "r-1""#)
      #expect(embed.status == 200, "\(embed.text)")
      #expect(embed.object["id"] as? String == "r-1")
      #expect(embed.object["model_name"] as? String == "meaning")
      #expect(embed.object["model_version"] as? String == "1")
      let vectors = try await client.post("/m/meaning/embed", #"{"inputs": [\#(list)]}"#).list
      let embedding = try #require(Self.outputs(embed)["embedding"])
      #expect(embedding["datatype"] as? String == "FP32")
      #expect(embedding["shape"] as? [Int] == [3, 32])
      #expect(numbers(embedding["data"]) == vectors.flatMap(numbers))

      let mood = try await ask("mood", Self.input(texts))
      let classify = try await client.post("/m/mood/classify", #"{"input": [\#(list)]}"#)
      let items = classify.object["data"] as? [[String: Any]] ?? []
      let label = try #require(Self.outputs(mood)["label"])
      #expect(label["data"] as? [String] == items.compactMap { $0["label"] as? String })
      #expect(label["shape"] as? [Int] == [3] && label["datatype"] as? String == "BYTES")
      let scores = try #require(Self.outputs(mood)["scores"])
      #expect(scores["shape"] as? [Int] == [3, 2])
      #expect(numbers(scores["data"]) == items.flatMap { numbers($0["probs"]) })

      let pairs = Self.input(["b", "c", "d"], name: "text_pair")
      let similar = try await ask("similar", "\(Self.input(texts)), \(pairs)")
      let predict = try await client.post(
        "/m/similar/predict",
        #"{"inputs": [["the cat sat", "b"], ["a dog", "c"], ["ann in london", "d"]]}"#)
      let own = (predict.json as? [[[String: Any]]])?.flatMap { $0.map { $0["score"] as? Double } }
      #expect(Self.outputs(similar).keys.sorted() == ["scores"])
      #expect(numbers(Self.outputs(similar)["scores"]?["data"]).map(Optional.some) == own)
      #expect(Self.outputs(similar)["scores"]?["shape"] as? [Int] == [3, 1])

      let names = try await ask("names", Self.input(texts))
      let tags = try #require(Self.outputs(names)["tags"]?["data"] as? [String])
      let tag = try await client.post("/m/names/tag", #"{"inputs": [\#(list)]}"#)
      #expect("[\(tags.joined(separator: ","))]" == tag.text)
    }
  }

  /// What Triton's client sends and reads when it is told nothing.
  @Test func tensorsComeAndGoAsBytes() async throws {
    try await TinyServer().test { client in
      func ask(
        _ name: String, _ json: String, _ bytes: [UInt8], length: Int? = nil
      ) async throws -> Client.Answer {
        try await client.send(
          .post, "/v2/models/\(name)/infer", Array(json.utf8) + bytes,
          ["Inference-Header-Content-Length": "\(length ?? json.utf8.count)"])
      }
      let texts = ["the cat sat", "caf\u{e9} \u{1F600}", "a"]
      let tensor = Self.bytes(texts)
      func json(_ more: String, shape: String = "[3, 1]") -> String {
        #"{"inputs": [{"name": "text", "shape": \#(shape), "datatype": "BYTES", "parameters": {"binary_data_size": \#(tensor.count)}}]\#(more)}"#
      }
      let plain = try await client.post(
        "/v2/models/mood/infer", #"{"inputs": [\#(Self.input(texts))]}"#)
      let same = try await ask("mood", json(""), tensor)
      #expect(same.status == 200 && same.text == plain.text, "\(same.text)")
      #expect(same.header("inference-header-content-length") == nil)

      let all = try await ask(
        "mood", json(#", "parameters": {"binary_data_output": true}"#), tensor)
      #expect(all.header("content-type") == "application/octet-stream")
      let length = try #require(all.header("inference-header-content-length").flatMap(Int.init))
      let head =
        try JSONSerialization.jsonObject(with: Data(all.bytes[..<length])) as? [String: Any]
      let outputs = head?["outputs"] as? [[String: Any]] ?? []
      let sizes = outputs.map { ($0["parameters"] as? [String: Int])?["binary_data_size"] ?? 0 }
      #expect(outputs.map { $0["name"] as? String } == ["label", "scores"])
      #expect(outputs.allSatisfy { $0["data"] == nil })
      #expect(sizes[1] == 4 * 6 && length + sizes[0] + sizes[1] == all.bytes.count)
      let labels = try TextTensor.texts(all.bytes[length..<length + sizes[0]], "label")
      #expect(labels == Self.outputs(plain)["label"]?["data"] as? [String])
      let scores = Self.floats(all.bytes[(length + sizes[0])...])
      let expected = numbers(Self.outputs(plain)["scores"]?["data"])
      #expect(zip(scores, expected).allSatisfy { abs($0 - $1) < 1e-7 } && scores.count == 6)

      // One of them, in JSON; one of each.
      let one = try await ask(
        "mood",
        json(#", "outputs": [{"name": "scores"}], "parameters": {"binary_data_output": false}"#),
        tensor)
      #expect(Self.outputs(one).keys.sorted() == ["scores"])
      let mixed = try await ask(
        "mood",
        json(
          #", "outputs": [{"name": "scores", "parameters": {"binary_data": true}}, {"name": "label", "parameters": {"binary_data": false}}]"#,
          shape: "[3]"), tensor)
      let part = try #require(mixed.header("inference-header-content-length").flatMap(Int.init))
      #expect(mixed.bytes.count - part == 24)
      #expect(String(decoding: mixed.bytes[..<part], as: UTF8.self).contains(#""data":["#))
      #expect(Self.floats(mixed.bytes[part...]) == scores)
    }
  }

  @Test func parametersAreThoseOfTheTask() async throws {
    try await TinyServer().test { client in
      let input = Self.input(["the red dog"])
      for (name, parameters, words) in [
        ("meaning", #"{"dimensions": 5, "normalize": false}"#, nil),
        ("meaning", #"{"truncate_prompt_tokens": 3, "priority": 0, "timeout": 7}"#, nil),
        ("topic", #"{"function_to_apply": "none"}"#, nil),
        ("names", #"{"aggregation_strategy": "max"}"#, nil),
        (
          "topic", #"{"normalize": false}"#,
          "parameters.normalize has no meaning for /v2/models/topic/infer"
        ),
        ("topic", #"{"sequence_id": 4}"#, "parameters.sequence_id is not a member"),
        ("topic", #"{"candidate_labels": ["a"]}"#, "parameters.candidate_labels is not honoured"),
        ("meaning", #"{"dimensions": 33}"#, "parameters.dimensions: 33 is not possible"),
        ("meaning", #"{"model": "topic"}"#, "parameters.model: model belongs beside parameters"),
        ("meaning", #"{"binary_data_output": 1}"#, "parameters.binary_data_output: true or false"),
      ] as [(String, String, String?)] {
        let answer = try await client.post(
          "/v2/models/\(name)/infer", #"{"inputs": [\#(input)], "parameters": \#(parameters)}"#)
        #expect(answer.status == (words == nil ? 200 : 400), "\(parameters): \(answer.text)")
        if let words { #expect(answer.message.hasPrefix(words), "\(answer.text)") }
        if parameters.contains("5") {
          #expect(Self.outputs(answer)["embedding"]?["shape"] as? [Int] == [1, 5])
        }
      }
    }
  }

  @Test func whatIsWrongIsTold() async throws {
    try await TinyServer().test { client in
      let good = Self.input(["a", "b"])
      for (name, body, words) in [
        ("topic", "{}", "an input named text was expected"),
        ("topic", "[]", "a JSON object was expected"), ("topic", "", "it is empty"),
        ("topic", #"{"inputs": [3]}"#, "inputs[0]: an object was expected"),
        ("topic", #"{"inputs": [\#(good), \#(good)]}"#, "text is given twice"),
        (
          "topic", #"{"inputs": [\#(good.replacing("text", with: "words"))]}"#,
          "there is no input words"
        ),
        (
          "topic", #"{"inputs": [\#(good.replacing("BYTES", with: "FP32"))]}"#, "BYTES was expected"
        ),
        (
          "topic", #"{"inputs": [\#(good.replacing("[2]", with: "[3]"))]}"#,
          "it says 3, and there are 2"
        ),
        ("topic", #"{"inputs": [\#(good.replacing("[2]", with: "[1, 2]"))]}"#, "[n] or [n, 1]"),
        ("topic", #"{"inputs": [\#(good.replacing("[2]", with: "[-2]"))]}"#, "[n] or [n, 1]"),
        ("topic", #"{"inputs": [\#(good.replacing("\"a\"", with: "1"))]}"#, "a list of texts"),
        ("topic", #"{"inputs": [\#(good.replacing("\"a\"", with: "\"\""))]}"#, "text 0 is empty"),
        (
          "topic", #"{"inputs": [\#(good)], "outputs": [{"name": "logits"}]}"#,
          "topic has no output logits; it has label, scores"
        ),
        (
          "topic",
          #"{"inputs": [\#(good)], "outputs": [{"name": "label", "parameters": {"classification": 2}}]}"#,
          "outputs[0].parameters.classification is not honoured"
        ),
        ("topic", #"{"inputs": [\#(good)], "model": "mood"}"#, "model is not honoured here"),
        (
          "topic", #"{"inputs": [\#(good), \#(Self.input(["a"], name: "text_pair"))]}"#,
          "text has 2 texts and text_pair 1"
        ),
        (
          "meaning", #"{"inputs": [\#(good), \#(Self.input(["a", "b"], name: "text_pair"))]}"#,
          "it takes texts, not pairs"
        ),
        (
          "topic",
          #"{"inputs": [{"name": "text", "shape": [1], "datatype": "BYTES", "parameters": {"binary_data_size": 5}}]}"#,
          "is Inference-Header-Content-Length sent?"
        ),
        (
          "topic", #"{"inputs": [{"name": "text", "shape": [1], "datatype": "BYTES"}]}"#,
          "inputs[0].data: it is missing"
        ),
        (
          "topic",
          #"{"inputs": [{"name": "text", "shape": [0], "datatype": "BYTES", "data": []}]}"#,
          "there is nothing to do"
        ),
      ] {
        let answer = try await client.post("/v2/models/\(name)/infer", body)
        #expect(answer.status == 400 && answer.message.contains(words), "\(body): \(answer.text)")
        #expect(answer.object.keys.sorted() == ["error"])
      }
      let nobody = try await client.post("/v2/models/nobody/infer", #"{"inputs": [\#(good)]}"#)
      #expect(nobody.status == 404 && nobody.message == "there is no vBERT named nobody")
      let other = try await client.post(
        "/v2/models/topic/infer?model=mood", #"{"inputs": [\#(good)]}"#)
      #expect(other.status == 400 && other.message.contains("the query mood"))
    }
  }

  private static func request(_ count: Int, _ bytes: [UInt8]) -> (json: [UInt8], whole: [UInt8]) {
    let json = Array(
      #"{"inputs": [{"name": "text", "shape": [\#(count)], "datatype": "BYTES", "parameters": {"binary_data_size": \#(bytes.count)}}], "parameters": {"binary_data_output": true}}"#
        .utf8)
    return (json, json + bytes)
  }

  @Test func bytesAreReadExactly() throws {
    let texts = ["a cat", "", "caf\u{e9}"]
    let bytes = Self.bytes(texts)
    let (json, whole) = Self.request(3, bytes)
    let read = try InferRequest(whole, headerBytes: json.count)
    #expect(read.texts == texts && read.isBinary && read.outputs == nil && read.pairs == nil)
    for (tensor, count) in [
      (Array(bytes.dropLast()), 3), (bytes + [0], 3), (bytes, 2), (bytes, 4),
      ([255, 255, 255, 255] + bytes, 3), (Self.bytes(["a"]).dropLast() + [0xFF], 1),
      ([1, 0, 0], 1),
    ] {
      let (json, whole) = Self.request(count, Array(tensor))
      #expect(throws: APIError.self) { try InferRequest(whole, headerBytes: json.count) }
    }
    for length in [-1, whole.count + 1, json.count - 1, json.count + 1, 0, .max] {
      #expect(throws: APIError.self) { try InferRequest(whole, headerBytes: length) }
    }
    #expect(throws: APIError.self) { try InferRequest(whole + [7], headerBytes: json.count) }
  }

  /// Whatever the bytes, and whatever is said of them: an error of ours, or what they hold.
  @Test func fuzzedTensorsAreReadOrRefused() throws {
    Fuzz.run { random, seed in
      let texts = (0..<Int.random(in: 0...4, using: &random)).map { _ in
        String(decoding: random.bytes(count: Int.random(in: 0...9, using: &random)), as: UTF8.self)
      }
      var (json, whole) = Self.request(texts.count, Self.bytes(texts))
      var length = json.count
      switch Int.random(in: 0..<4, using: &random) {
      case 0: break
      case 1: random.mutate(&whole)
      case 2: length += Int.random(in: -3...3, using: &random)
      default:
        var tensor = Self.bytes(texts)
        random.mutate(&tensor)
        (json, whole) = Self.request(texts.count, tensor)
        length = json.count
      }
      do {
        let read = try InferRequest(whole, headerBytes: length)
        #expect(read.texts.count <= whole.count, "seed \(seed)")
        if whole == json + Self.bytes(texts), length == json.count {
          #expect(read.texts == texts, "seed \(seed)")
        }
      } catch { #expect(error is APIError, "seed \(seed): \(error)") }
    }
  }
}
