import Foundation
import Testing

/// Taggers that learn from tags that are not BIO, on the command line and behind a server.
@Suite struct TaggerTests {
  /// Sentences whose animals have one word or two; `tags` writes an entity's words.
  private static func rows(
    outside: String = "O", verb: String? = nil, _ tags: (Int, String) -> [String]
  )
    -> [[String: Any]]
  {
    ["cat", "dog", "bird"].flatMap { animal in
      [("runs", "paris"), ("sleeps", "oslo"), ("sings", "rome")].flatMap {
        verbWord, city -> [[String: Any]] in
        let verb = verb ?? outside
        return [
          [
            "tokens": ["the", "red", animal, verbWord, "in", city, "."],
            "tags": [outside] + tags(2, "animal") + [verb, outside] + tags(1, "city") + [outside],
          ],
          [
            "tokens": ["in", city, "a", animal, verbWord],
            "tags": [outside] + tags(1, "city") + [outside] + tags(1, "animal") + [verb],
          ],
        ]
      }
    }
  }

  private static func bioes(_ count: Int, _ type: String) -> [String] {
    count == 1 ? ["S-\(type)"] : ["B-\(type)", "E-\(type)"]
  }

  private func metrics(_ vbert: VbertProcess, _ name: String, _ data: String) throws
    -> [String: Double]
  {
    let json = try vbert.succeed("eval", name, "--data", data, "--json")
    let report = try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any]
    return try #require(report?["metrics"] as? [String: Double])
  }

  @Test func bioesTrainsToEntities() async throws {
    let world = try TinyWorld()
    let vbert = world.vbert
    defer { vbert.removeHome() }
    let rows = Self.rows(Self.bioes)
    try world.train("names", task: "tag", rows: rows)
    let data = vbert.home.appending(path: "names.jsonl").path()
    #expect(try metrics(vbert, "names", data)["span_f1"] == 1)
    // Every verb is a city in this gold: five entities found of seven.
    let gold = try TinyData.write(
      Self.rows(verb: "S-city", Self.bioes), "gold", in: vbert.home)
    let measured = try metrics(vbert, "names", gold)
    #expect(measured["precision"] == 1)
    #expect(abs((measured["recall"] ?? 0) - 2.0 / 3) < 1e-9)
    #expect(abs((measured["span_f1"] ?? 0) - 0.8) < 1e-9)

    let text = "the red dog runs in rome ."
    #expect(
      try vbert.succeed("predict", "names", text) == "the [red dog]/animal runs in rome/city .\n")
    let answer = try vbert.succeed("predict", "names", text, "--json")
    let object = try #require(
      try JSONSerialization.jsonObject(with: Data(answer.utf8)) as? [String: Any])
    #expect(
      object["tags"] as? [String] == ["O", "B-animal", "E-animal", "O", "O", "S-city", "O"])
    let entities = try #require(object["entities"] as? [[String: Any]])

    let server = try await Server(vbert)
    let served = try await server.post("/tag", ["model": "names", "inputs": text])
    let groups = try #require(try served.json as? [[String: Any]])
    for list in [entities, groups] {
      #expect(list.map { $0["entity_group"] as? String } == ["animal", "city"])
      #expect(list.map { $0["word"] as? String } == ["red dog", "rome"])
      #expect(list.map { $0["start"] as? Int } == [4, 20])
      #expect(list.map { $0["end"] as? Int } == [11, 24])
    }
    let words = try await server.post(
      "/tag", ["model": "names", "inputs": text, "aggregation_strategy": "none"])
    #expect(
      (try words.json as? [[String: Any]])?.map { $0["entity"] as? String }
        == object["tags"] as? [String])
    // Raw text has the same words on both ways, with their places in it.
    let raw = "The red dog runs  in rome."
    let said = try JSONSerialization.jsonObject(
      with: Data(try vbert.succeed("predict", "names", raw, "--json").utf8))
    let own = try #require((said as? [String: Any])?["entities"] as? [[String: Any]])
    let tagged = try await server.post("/tag", ["model": "names", "inputs": raw])
    let others = try #require(try tagged.json as? [[String: Any]])
    for list in [own, others] {
      #expect(list.map { $0["word"] as? String } == ["red dog", "rome"])
      #expect(list.map { $0["start"] as? Int } == [4, 21])
    }
    // Long and empty ones are refused on both, and cut where that is said, on either side.
    let long = String(repeating: "the red dog runs in rome. ", count: 40)
    for (text, status) in [(long, Int32(1)), ("", 1)] {
      #expect(try vbert.run(["predict", "names", text]).status == status)
      #expect(try await server.post("/tag", ["model": "names", "inputs": text]).status >= 400)
    }
    for side in ["left", "right"] {
      let cut = try JSONSerialization.jsonObject(
        with: Data(
          try vbert.succeed(
            "predict", "names", long, "--truncate", "--truncation-direction", side, "--json"
          ).utf8))
      let here = (cut as? [String: Any])?["entities"] as? [[String: Any]]
      let body: [String: Any] = [
        "model": "names", "inputs": long, "truncate": true, "truncation_direction": side,
      ]
      let there = try await server.post("/tag", body).json as? [[String: Any]]
      #expect(here?.isEmpty == false)
      #expect(
        here?.map { $0["start"] as? Int } == there?.map { $0["start"] as? Int }
          && here?.map { $0["word"] as? String } == there?.map { $0["word"] as? String })
    }
    #expect(server.stop() == 0)

    // The scheme goes where the vBERT goes.
    let folder = vbert.home.appending(path: "exported").path()
    try vbert.succeed("export", "names", folder)
    let spec = try String(contentsOfFile: folder + "/vbert.json", encoding: .utf8)
    #expect(spec.contains("\"tagScheme\":\"bioes\"") || spec.contains("\"tagScheme\" : \"bioes\""))
    try vbert.succeed("import", folder, "--name", "again")
    #expect(try vbert.succeed("predict", "again", text, "--json") == answer)
    #expect(try vbert.succeed("list", "--json").contains("\"tag_scheme\":\"bioes\""))
  }

  @Test func typesAloneTrainToEntitiesOrUnits() throws {
    let world = try TinyWorld()
    let vbert = world.vbert
    defer { vbert.removeHome() }
    let plain = Self.rows { count, type in [String](repeating: type, count: count) }
    try world.train("plain", task: "tag", rows: plain)
    let units = Self.rows(outside: "X", verb: "V") { count, type in
      [String](repeating: type, count: count)
    }
    try world.train("units", task: "tag", rows: units)
    for (name, answer) in [
      ("plain", "the [red dog]/animal runs in rome/city .\n"),
      ("units", "the/X red/animal dog/animal runs/V in/X rome/city ./X\n"),
    ] {
      let measured = try metrics(vbert, name, vbert.home.appending(path: "\(name).jsonl").path())
      #expect(measured["span_f1"] == 1 && measured["accuracy"] == 1)
      #expect(try vbert.succeed("predict", name, "the red dog runs in rome .") == answer)
    }

    // Files that are mixed, or of another scheme than the vBERT.
    let bioes = Self.rows(Self.bioes)
    let stranger: [String: Any] = [
      "tokens": ["rome", "in", "oslo"], "tags": ["city", "O", "I-city"],
    ]
    let mixed = try TinyData.write(bioes + [stranger], "mixed", in: vbert.home)
    let refused = try vbert.run(["train", "plain", "--data", mixed])
    #expect(refused.status == 1)
    #expect(
      refused.stderr.contains("line 19: the tag \"city\" of word 1 is none of BIOES; 18 rows"),
      "\(refused.stderr)")
    let other = try TinyData.write(bioes, "other", in: vbert.home)
    let wrong = try vbert.run(["eval", "plain", "--data", other])
    #expect(wrong.status == 1)
    #expect(wrong.stderr.contains("line 1: the tag \"B-animal\" of word 2 seems to carry a mark"))
  }
}
