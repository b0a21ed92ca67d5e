import Foundation
import TestSupport
import Testing

@testable import Dispatcher

/// The quick reader of bodies against Foundation's decoder.
@Suite struct PlainBodyTests {
  private static func plain<Body: ReadsPlainBody>(_ bytes: [UInt8], as: Body.Type) -> Body? {
    PlainBody(bytes.span).flatMap(Body.init)
  }

  private static let bodies = [
    #"{"model": "topic", "inputs": "a cat"}"#,
    #" { "inputs" : [ "a cat" , "dög" ] , "adapter_id":"x","truncate":true, "raw_scores": false }"#,
    #"{"input": ["good", "bad", "日本"], "model": "m", "user": "me", "stream": null}"#,
    #"{"input": "a", "encoding_format": "base64", "model": "m", "truncate": null}"#,
    #"{"inputs": ["ann", "bob"], "normalize": false, "model": "names"}"#,
  ]

  @Test func plainBodiesAreRead() {
    func texts(_ body: String) -> [String]? {
      Self.plain(Array(body.utf8), as: EmbedBody.self)?.inputs.texts
    }
    #expect(texts(Self.bodies[0]) == ["a cat"])
    #expect(texts(Self.bodies[1]) == ["a cat", "dög"])
    #expect(Self.plain(Array(Self.bodies[2].utf8), as: ClassifyBody.self)?.vbertName == "m")
    #expect(
      Self.plain(Array(Self.bodies[3].utf8), as: EmbeddingsBody.self)?.encoding_format == .base64)
    #expect(Self.plain(Array(Self.bodies[4].utf8), as: PredictBody.self)?.inputs.items.count == 1)
  }

  /// What is not plain, or not right, is left to the decoder.
  @Test(arguments: [
    "", "{", "[]", "{}x", #"{"inputs": "a\n"}"#, #"{"inputs": "a", "inputs": "b"}"#,
    #"{"inputs": 3}"#, #"{"inputs": []}"#, #"{"inputs": [["a"]]}"#, #"{"inputs": "a", "model": 1}"#,
    #"{"inputs": "a",}"#, #"{"inputs": "a"} {}"#, #"{"inputs": tru}"#, #"{"model": "a"}"#,
    "{\"inputs\": \"a\u{1}\"}", #"{"inputs": "a", "truncate": "yes"}"#,
    #"{"inputs": "a", "dimensions": 3}"#,
  ])
  func otherBodiesAreNot(_ body: String) {
    #expect(Self.plain(Array(body.utf8), as: EmbedBody.self) == nil)
  }

  @Test func brokenUTF8IsNot() {
    let bytes = Array(#"{"inputs": "a"#.utf8) + [0xC3, 0x28] + Array(#""}"#.utf8)
    #expect(Self.plain(bytes, as: EmbedBody.self) == nil)
  }

  /// Whatever it reads, the decoder reads too, and the same.
  @Test func fuzzedBodiesEqualTheDecoder() {
    var read = 0
    func compare<Body: ReadsPlainBody>(_ bytes: [UInt8], _ type: Body.Type, _ seed: UInt64) {
      guard let plain = Self.plain(bytes, as: type) else { return }
      read += 1
      let decoded = try? JSONDecoder().decode(type, from: Data(bytes))
      #expect(
        decoded.map { "\($0)" } == "\(plain)",
        "seed \(seed): \(String(decoding: bytes, as: UTF8.self))")
    }
    for pass in 0..<2 {
      Fuzz.run { random, seed in
        var bytes = Array((Self.bodies.randomElement(using: &random) ?? "").utf8)
        if pass == 1 { random.mutate(&bytes) }
        compare(bytes, EmbedBody.self, seed)
        compare(bytes, PredictBody.self, seed)
        compare(bytes, TagBody.self, seed)
        compare(bytes, EmbeddingsBody.self, seed)
        compare(bytes, ClassifyBody.self, seed)
      }
    }
    #expect(read > 1000)
  }
}
