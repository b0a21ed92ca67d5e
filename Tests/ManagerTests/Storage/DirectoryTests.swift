import Compute
import Files
import Foundation
import Manager
import Model
import Testing

@Suite struct DirectoryTests {
  let temporary = TemporaryHome()
  let store: AdapterStore
  let spec = VBertSpec.example(labels: ["ja", "n\u{F6}"])
  let directory: URL

  init() throws {
    store = AdapterStore(registry: try temporary.registry())
    directory = temporary.home.root.appending(path: "out", directoryHint: .isDirectory)
  }

  private func isTiny(_ spec: VBertSpec) throws -> Model.Configuration { .tiny }

  private func current(_ name: VBertName) async throws -> HostAdapter {
    let id = try #require(try await store.registry.vbert(name).version)
    return try await store.load(#require(try await store.registry.version(id)), base: .tiny)
  }

  private func make(_ name: VBertName, seeds: Int) async throws {
    let vbert = try await store.registry.create(vbert: name, spec: spec)
    for seed in 1...seeds {
      try await store.publish(
        try makeAdapter(spec, seed: seed), as: vbert, spec: spec, base: .tiny,
        metrics: ["f1": Double(seed)], note: "seed \(seed)")
    }
  }

  @Test func whatIsExportedIsImported() async throws {
    try await make("a", seeds: 2)
    #expect(try await store.export(vbert: "a", to: directory).id.number == 2)
    let mode = try FileManager.default.attributesOfItem(atPath: directory.filePath)[
      .posixPermissions]
    #expect(mode as? Int == 0o700, "whatever the umask")
    let made = try await store.importDirectory(directory, name: "b", baseShape: isTiny)
    #expect(made.name == "b" && made.spec == spec && made.version?.number == 1)
    #expect(sameTensors(try await current("b"), try makeAdapter(spec, seed: 2)))
    let version = try #require(try await store.registry.versions(of: "b").first)
    #expect(version.metrics == ["f1": 2] && version.note == "imported: seed 2")

    try FileManager.default.removeItem(at: directory)
    try await store.export(vbert: "a", version: 1, to: directory)
    try await store.delete(vbert: "a")
    #expect(try await store.importDirectory(directory, baseShape: isTiny).name == "a")
    #expect(sameTensors(try await current("a"), try makeAdapter(spec, seed: 1)))
  }

  /// One changed byte of the parameters would be other parameters.
  @Test func damagedParametersAreNotImported() async throws {
    try await make("a", seeds: 1)
    try await store.export(vbert: "a", to: directory)
    let file = directory.appending(path: "adapter.safetensors")
    let bytes = [UInt8](try Data(contentsOf: file))
    for place in [bytes.count - 1, bytes.count / 2] {
      var damaged = bytes
      damaged[place] ^= 1
      try Data(damaged).write(to: file)
      await #expect(throws: DirectoryError.damaged(file.path())) {
        try await store.importDirectory(directory, name: "b", baseShape: isTiny)
      }
      await #expect(throws: DirectoryError.self) {
        try await store.importDirectory(directory, into: "a", baseShape: isTiny)
      }
    }
    // An older vbert wrote no hash.
    let manifest = directory.appending(path: "vbert.json")
    var fields = try #require(
      try JSONSerialization.jsonObject(with: try Data(contentsOf: manifest)) as? [String: Any])
    #expect((fields["adapter_sha256"] as? String)?.count == 64)
    fields["adapter_sha256"] = nil
    try JSONSerialization.data(withJSONObject: fields).write(to: manifest)
    try Data(bytes).write(to: file)
    #expect(try await store.importDirectory(directory, name: "b", baseShape: isTiny).name == "b")
  }

  @Test func anEmbedderIsExportedToo() async throws {
    try await store.registry.create(vbert: "e", spec: .embedder)
    try await store.export(vbert: "e", to: directory)
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: directory.path()) == ["vbert.json"])
    let made = try await store.importDirectory(directory, name: "f", baseShape: isTiny)
    #expect(made.spec == .embedder && made.version?.number == 1)
  }

  @Test func whatCannotBeExportedLeavesNothing() async throws {
    try await make("a", seeds: 1)
    try await store.registry.create(vbert: "untrained", spec: spec)
    await #expect(throws: DirectoryError.untrained("untrained")) {
      try await store.export(vbert: "untrained", to: directory)
    }
    await #expect(throws: RegistryError.noVBERT("x")) {
      try await store.export(vbert: "x", to: directory)
    }
    await #expect(throws: RegistryError.noVersion(vbert: "a", number: 3, have: [1])) {
      try await store.export(vbert: "a", version: 3, to: directory)
    }
    await #expect(throws: DirectoryError.self) {
      try await store.export(vbert: "a", to: directory.appending(path: "no/where"))
    }
    let blob = try #require(try await store.registry.versions(of: "a").first?.blob)
    try Data("x".utf8).write(to: store.url(blob.name))
    await #expect(throws: AdapterError.self) { try await store.export(vbert: "a", to: directory) }
    #expect(!FileManager.default.fileExists(atPath: directory.path()))
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    await #expect(throws: DirectoryError.exists(directory.path())) {
      try await store.export(vbert: "a", to: directory)
    }
    let left = try FileManager.default.contentsOfDirectory(atPath: temporary.home.root.path())
    #expect(!left.contains { $0.hasPrefix(Leftover.prefix) })
  }

  @Test func aBrokenDirectoryImportsNothing() async throws {
    try await make("a", seeds: 1)
    let manifest = directory.appending(path: "vbert.json")
    let weights = directory.appending(path: "adapter.safetensors")
    try await store.export(vbert: "a", to: directory)
    let whole = try (Data(contentsOf: manifest), Data(contentsOf: weights))
    func isRefused(_ comment: Comment, _ damage: () throws -> Void) async throws {
      try damage()
      await #expect(throws: DirectoryError.self, comment) {
        try await store.importDirectory(directory, name: "b", baseShape: isTiny)
      }
      try whole.0.write(to: manifest)
      try whole.1.write(to: weights)
    }
    func replacing(_ old: String, _ new: String) throws {
      let text = String(decoding: whole.0, as: UTF8.self)
      try #require(text.contains(old))
      try Data(text.replacingOccurrences(of: old, with: new).utf8).write(to: manifest)
    }
    try await isRefused("no manifest") { try FileManager.default.removeItem(at: manifest) }
    try await isRefused("no weights") { try FileManager.default.removeItem(at: weights) }
    try await isRefused("cut weights") { try whole.1.dropLast(8).write(to: weights) }
    try await isRefused("cut manifest") { try whole.0.dropLast(8).write(to: manifest) }
    try await isRefused("no JSON") { try Data("{]".utf8).write(to: manifest) }
    try await isRefused("another format") { try replacing("vbert-1", "vbert-2") }
    try await isRefused("another width") { try replacing("bottleneck:4", "bottleneck:5") }
    try await isRefused("no such adapter") { try replacing("bottleneck:4", "bottleneck:-1") }
    try await isRefused("another task") { try replacing("classify", "clasify") }
    try await isRefused("other labels") { try replacing("\"ja\",", "\"ja\",\"vielleicht\",") }
    try await isRefused("a length out of bounds") { try replacing(":128", ":9223372036854775807") }
    try await isRefused("a field too few") { try replacing("\"maxLength\"", "\"maxlength\"") }
    try await isRefused("no name") { try replacing("\"a\"", "\"../b\"") }
    try await isRefused("a path for a domain") {
      try replacing("\"labels\"", "\"domain\":\"../../x\",\"labels\"")
    }
    for bad in [Float.nan, .infinity, 65_505] {
      try await isRefused("a parameter is \(bad)") {
        try replacing("\"adapter_sha256\"", "\"older\"")
        let bits = bad.bitPattern
        let bytes = (0..<4).map { UInt8(truncatingIfNeeded: bits >> (8 * $0)) }
        try (whole.1.dropLast(4) + Data(bytes)).write(to: weights)
      }
    }
    await #expect(throws: AdapterError.registry(.vbertExists("a"))) {
      try await store.importDirectory(directory, baseShape: isTiny)
    }
    await #expect(throws: WeightsError.self) {
      try await store.importDirectory(directory, name: "b") { _ in
        throw WeightsError.missing(name: "base")
      }
    }
    #expect(try await store.registry.list().map(\.name) == ["a"])
    #expect(try await store.importDirectory(directory, name: "b", baseShape: isTiny).name == "b")
  }
}
