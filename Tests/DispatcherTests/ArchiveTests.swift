import Crypto
import Foundation
import HTTPTypes
import Manager
import Model
import ServingSupport
import TestSupport
import Testing

@testable import Dispatcher

/// vBERTs that come and go over HTTP (how they answer then is tested at the command line), bases, and the document of it all.
@Suite(.timeLimit(.minutes(2))) struct ArchiveTests {
  private let home: TinyHome
  private let alice, bob, ops, ask: String

  init() throws {
    home = try TinyHome()
    alice = try home.registry.createTenant("alice")
    bob = try home.registry.createTenant("bob")
    ops = try home.registry.createKey("ops", tenant: "default", scopes: .admin).secret
    ask = try home.registry.createKey("ask", tenant: "alice", scopes: Scopes("predict")).secret
    let spec = TinyModel.spec(.classify, TinyHome.bottleneck, labels: ["x", "y"])
    try home.add(VBertName("mood", of: "alice"), spec, seed: 1)
    try home.registry.create(vbert: VBertName("new", of: "alice"), spec: spec)
  }

  private func send(
    _ client: Client, _ body: [UInt8], _ query: String = "", key: String
  ) async throws -> Client.Answer {
    try await client.send(
      .post, "/v1/vberts/import\(query)", body, ["content-type": "application/zip"], key: key)
  }

  @Test func whatIsNoExportedVBertIsRefused() async throws {
    let server = try await TinyServer(home: home)
    try await server.test { client in
      let archive = try await client.get("/v1/vberts/mood/export", key: alice)
      #expect(archive.status == 200 && archive.header("content-type") == "application/zip")
      let bytes = archive.bytes
      for (body, query, key, status, words) in [
        (bytes, "", bob, 400, "there is no base"), (bytes, "?tenant=bob", alice, 404, "bob"),
        (bytes, "?into=nobody", bob, 404, "nobody"), (bytes, "?into=x&name=y", bob, 400, "into"),
        (bytes, "?name=a%20b", bob, 400, "name"), (bytes, "", ask, 403, "manage"),
        ([], "?name=z", bob, 400, "archive"), (Array("no".utf8), "?name=z", bob, 400, "archive"),
        (Array(bytes.dropLast(40)), "?name=z", bob, 400, "archive"),
        (bytes.map { $0 == 0x76 ? 0x77 : $0 }, "?name=z", bob, 400, "body"),
      ] as [([UInt8], String, String, Int, String)] {
        let answer = try await send(client, body, query, key: key)
        #expect(answer.status == status && answer.text.contains(words), "\(answer.text)")
        #expect(!answer.text.contains(home.home.root.path(percentEncoded: false)))
      }
      for (path, key, status) in [
        ("/v1/vberts/mood/export?version=1", alice, 200), ("/v1/vberts/mood/export", ask, 403),
        ("/v1/vberts/mood/export?version=7", alice, 404),
        ("/v1/vberts/mood/export?version=x", alice, 400), ("/v1/vberts/new/export", alice, 409),
        ("/v1/vberts/none/export", alice, 404), ("/v1/vberts/alice%2Fmood/export", ops, 200),
      ] { #expect(try await client.get(path, key: key).status == status, "\(path)") }
    }
    let left = try FileManager.default.contentsOfDirectory(
      atPath: home.home.root.appending(path: "files").path(percentEncoded: false))
    #expect(left.isEmpty)
  }

  @Test func basesAreListedAndTakenIn() async throws {
    let server = try await TinyServer(home: home)
    try await server.test { client in
      let list = try await client.get("/v1/bases", key: alice)
      #expect(list.status == 200, "\(list.text)")
      for (body, key, status, words) in [
        ("{\"name\": \"x\", \"path\": \"/nowhere\"}", alice, 403, "admin"),
        ("{\"name\": \"x\", \"path\": \"/nowhere\"}", ops, 400, "/nowhere"),
        ("{\"name\": \"x\", \"path\": \"here\"}", ops, 400, "absolute"),
        ("{\"name\": \"x\"}", ops, 400, "path"),
        ("{\"name\": \"x\", \"path\": \"/a\", \"paths\": [\"/b\"]}", ops, 400, "one of them"),
      ] {
        let answer = try await client.post("/v1/bases", body, key: key)
        #expect(answer.status == status && answer.text.contains(words), "\(answer.text)")
      }
    }
  }

  @Test func theDocumentIsServedAndOfToday() async throws {
    let source = Resources.packageRoot.appending(path: "docs/openapi.yaml")
    let digest = SHA256.hash(data: try Data(contentsOf: source))
    #expect(
      digest.map { String(Int($0) + 256, radix: 16).suffix(2) }.joined()
        == OpenAPIDocument.sourceSHA256, "docs/openapi.yaml has changed: run scripts/openapi")
    try await TinyServer(home: home).test { client in
      let answer = try await client.get("/openapi.json")
      #expect(answer.status == 200 && answer.header("content-type") == "application/json")
      #expect((answer.object["paths"] as? [String: Any])?["/v1/batches"] != nil)
    }
  }
}
