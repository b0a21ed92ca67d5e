import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Manager
import Model
import Scheduler
import ServingSupport
import Testing

@testable import Dispatcher

/// What errors say: a way that works, and nothing of the server's own.
@Suite(.timeLimit(.minutes(5))) struct WordsTests {
  private static let routes: [(path: String, body: @Sendable (String) -> String)] = [
    ("/embed", { #"{"model": "\#($0)", "inputs": "a"}"# }),
    ("/predict", { #"{"model": "\#($0)", "inputs": "a"}"# }),
    ("/predict", { #"{"model": "\#($0)", "inputs": ["a", "b"]}"# }),
    ("/tag", { #"{"model": "\#($0)", "inputs": "a"}"# }),
    ("/rerank", { #"{"model": "\#($0)", "query": "a", "texts": ["b"]}"# }),
    (
      "/similarity",
      { #"{"model": "\#($0)", "inputs": {"source_sentence": "a", "sentences": ["b"]}}"# }
    ),
    ("/v1/embeddings", { #"{"model": "\#($0)", "input": "a"}"# }),
    ("/classify", { #"{"model": "\#($0)", "input": "a"}"# }),
  ]

  /// Every route asked of every kind of vBERT: it answers, or names routes with bodies that do.
  @Test func aWrongRouteNamesThoseThatAnswer() async throws {
    let home = try TinyHome()
    try home.addAll()
    var names = TinyHome.names.map(\.text)
    for (task, labels) in [(VBertTask.classify, ["x", "y"]), (.multilabel, ["x"]), (.score, [])] {
      for input in [InputKind.text, .pair] {
        var spec = TinyModel.spec(task, TinyHome.bottleneck, labels: labels)
        spec.input = input
        let name = "\(task.rawValue)-\(input.rawValue)"
        try home.add(VBertName(name), spec)
        names.append(name)
      }
    }
    try home.add("single", TinyModel.spec(.score, TinyHome.bottleneck, base: "single"))
    let asked = names + ["single"]
    try await TinyServer(home: home).test { client in
      for name in asked {
        for (path, body) in Self.routes {
          let answer = try await client.post(path, body(name))
          if answer.status == 200 { continue }
          #expect([400, 422].contains(answer.status), "\(path) \(name): \(answer.text)")
          let ways = answer.message.matches(of: /(\/[a-z0-9\/]+) (\{.*?\})(?= or |$)/)
          // Where pairs and texts are mixed up the spelling alone is told, or that its base has none.
          guard answer.message.contains("ask it with") else {
            let words = name == "single" ? "reads single texts" : "learnt from"
            #expect(answer.message.contains(words), "\(answer.message)")
            continue
          }
          #expect(!ways.isEmpty, "\(answer.message)")
          for way in ways {
            let told = try await client.post(String(way.1), String(way.2))
            #expect(told.status == 200, "\(path) \(name): \(way.0): \(told.text)")
          }
        }
      }
    }
  }

  @Test func keysAreToldApartInWordsAlone() async throws {
    let home = try TinyHome()
    try home.addAll()
    let revoked = try await home.registry.createTenant("alice")
    try await home.registry.deleteTenant("alice")
    let key = try await home.registry.createTenant("bob")
    try await TinyServer(home: home).test { client in
      let body = #"{"model": "topic", "inputs": "a"}"#
      for (header, words) in [
        (nil, "an API key is needed"), ("Basic YTpi", "not of the form Bearer"),
        ("Bearer", "not of the form Bearer"), ("vb_x", "not of the form Bearer"),
        ("Bearer vb_never", "not known here"), ("Bearer \(revoked)", "not known here"),
      ] {
        for path in ["/predict", "/classify"] {
          let answer = try await client.send(.post, path, Array(body.utf8), authorization: header)
          #expect(
            answer.status == 401
              && answer.message.hasPrefix("this API key")
                == (header?.hasPrefix("Bearer vb") ?? false)
          )
          #expect(answer.message.contains(words), "\(answer.message)")
          #expect(answer.header("www-authenticate") == "Bearer")
        }
      }
      let wrong = try await client.post("/predict", body, key: "vb_never")
      let gone = try await client.post("/predict", body, key: revoked)
      #expect(wrong.text == gone.text)
      // A scheme in any letters, and several spaces (RFC 9110, 11.1 and 11.4).
      for header in ["Bearer \(key)", "bearer \(key)", "BEARER  \(key)"] {
        let known = try await client.send(
          .post, "/predict", Array(body.utf8), authorization: header)
        #expect(known.status == 404, "\(known.text)")
      }
    }
  }

  /// One of many texts that is empty is told by its number; no text at all is something else.
  @Test func theEmptyTextIsTold() async throws {
    try await TinyServer().test { client in
      for (path, body, number) in [
        ("/embed", #"{"model": "meaning", "inputs": ["a", "", "b"]}"#, 1),
        ("/embed", #"{"model": "meaning", "inputs": ""}"#, 0),
        ("/v1/embeddings", #"{"model": "meaning", "input": ["a", "b", ""]}"#, 2),
        ("/classify", #"{"model": "topic", "input": ["a", ""]}"#, 1),
        ("/predict", #"{"model": "topic", "inputs": [["a"], ["b"], [""]]}"#, 2),
        ("/predict", #"{"model": "similar", "inputs": [["a", ""], ["", ""]]}"#, 1),
        ("/tag", #"{"model": "names", "inputs": ["a", "", "b"]}"#, 1),
        ("/tag", #"{"model": "names", "inputs": [["a"], []]}"#, 1),
        ("/rerank", #"{"model": "similar", "query": "", "texts": ["a", ""]}"#, 1),
      ] {
        let answer = try await client.post(path, body)
        #expect(answer.status == 400, "\(path) \(body): \(answer.text)")
        #expect(answer.message.hasPrefix("text \(number) is empty"), "\(body): \(answer.message)")
      }
      let none = try await client.post("/embed", #"{"model": "meaning", "inputs": []}"#)
      #expect(none.message.contains("give one text at least"), "\(none.message)")
    }
  }

  /// Blobs that are damaged, gone or unreadable, bases that are: nothing of the server's disk is told.
  @Test func noPathIsTold() async throws {
    let home = try TinyHome()
    try home.addAll()
    for (name, damage) in [
      ("short", "x"), ("gone", nil), ("long", String(repeating: "y", count: 9000)),
    ] {
      let broken = try home.add(
        VBertName(name), TinyModel.spec(.classify, TinyHome.bottleneck, labels: ["x", "y"]))
      let blob = try #require(try home.registry.version(broken.id)?.blob)
      let url = home.store.url(blob.name)
      if let damage {
        try Data(damage.utf8).write(to: url)
      } else {
        try FileManager.default.removeItem(at: url)
      }
    }
    try await home.registry.create(
      vbert: "lostbase", spec: TinyModel.spec(.embed, .none, base: "absent"))
    let root = home.home.root.lastPathComponent
    try await TinyServer(home: home).test { client in
      for name in ["short", "gone", "long"] {
        for path in ["/predict", "/classify"] {
          let body = path == "/predict" ? #""inputs": "a""# : #""input": "a""#
          let answer = try await client.post(path, #"{"model": "\#(name)", \#(body)}"#)
          #expect(answer.status == 424, "\(answer.text)")
          #expect(
            answer.message.hasPrefix("\(name) cannot be served: ")
              && answer.message.contains("operator"))
          #expect(!answer.text.contains(root) && !answer.message.contains("/"), "\(answer.text)")
        }
      }
      let lost = try await client.post("/embed", #"{"model": "lostbase", "inputs": "a"}"#)
      #expect(lost.status == 424)
      #expect(
        lost.message
          == "lostbase cannot be served: the base absent of this vBERT is damaged; the server's operator must look"
      )
    }
  }

  /// Whatever a room throws: the words of the server's disk stay in its log.
  @Test func errorsOfRoomsAreToldWithoutPaths() throws {
    let path = "/var/lib/vbert/bases/minilm"
    let vbert = PinnedVBert(
      id: VersionID(vbert: 1, number: 1), name: "mood", spec: TinyModel.spec(.embed, .none))
    let errors: [APIError] = [
      APIError(BaseError.damaged(name: "tiny", files: ["\(path)/model.safetensors"]), of: vbert),
      APIError(BaseError.noBase(name: "tiny", known: ["other"]), of: vbert),
      APIError(BaseError.file(path: path, why: "Permission denied"), of: vbert),
      APIError(CocoaError(.fileReadNoPermission), of: vbert),
      .serving(.vbert(name: "mood", why: "its file \(path) has 3 bytes instead of 7")),
      .serving(.compute("cannot open \(path): no such file")),
      .unhealthy("the registry \(path) is gone"),
    ]
    for error in errors {
      #expect(!error.message.contains("/") && !error.message.isEmpty)
      #expect(error.log != nil)
    }
    #expect(errors[0].message.contains("the base tiny of this vBERT is damaged"))
    #expect(errors[4].log?.contains(path) == true && errors[0].log?.contains(path) == true)
    #expect(!errors[1].message.contains("other"), "other bases are nobody's business")
    // What names no place is said as it is.
    let memory = APIError.serving(.vbert(name: "mood", why: "no room: raise --cache-bytes"))
    #expect(memory.message == "mood cannot be served: no room: raise --cache-bytes")
  }

  @Test func theLogSaysAFaultOnceAMinute() {
    var pace = LogPace()
    let start = ContinuousClock.now
    func isDue(_ what: String, after seconds: Int) -> Bool {
      pace.isDue(what, now: start + .seconds(seconds))
    }
    #expect(
      [isDue("a", after: 0), isDue("b", after: 0), isDue("a", after: 59)] == [true, true, false])
    #expect([isDue("a", after: 60), isDue("a", after: 61)] == [true, false])
    // However many there are, so many are remembered; the oldest is said again.
    let others = (0..<LogPace.most).map { isDue("\($0)", after: 61) }
    #expect(!others.contains(false))
    #expect([isDue("b", after: 61), isDue("\(LogPace.most - 1)", after: 61)] == [true, false])
  }
}

extension Client {
  func send(
    _ method: HTTPRequest.Method, _ path: String, _ body: [UInt8], authorization: String?
  ) async throws -> Answer {
    var headers = HTTPFields()
    if let authorization { headers[.authorization] = authorization }
    return try await client.execute(
      uri: path, method: method, headers: headers, body: ByteBuffer(bytes: body)
    ) { response in
      Answer(
        status: response.status.code, headers: response.headers,
        bytes: Array(response.body.readableBytesView))
    }
  }
}
