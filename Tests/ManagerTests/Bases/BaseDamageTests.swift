import Foundation
import Model
import TestSupport
import Testing

@testable import Manager

/// Bases whose files are not as they were made.
@Suite struct BaseDamageTests {
  private let temporary = TemporaryHome()
  private var store: BaseStore { BaseStore(home: temporary.home) }
  private var source: URL { temporary.home.root.appending(path: "source") }
  private func file(_ name: String, of base: String = "b") -> URL {
    temporary.home.bases.appending(path: "\(base)/\(name)")
  }

  init() throws {
    try TinyModel().write(to: source)
    try Data(#"{"do_lower_case": true}"#.utf8).write(
      to: source.appending(path: "tokenizer_config.json"))
    _ = try store.importBase(from: source.path(), name: "b")
  }

  /// In a file of its own under the name: who has the old one mapped keeps it, and nobody waits.
  private func flip(_ name: String, at place: Int, of base: String = "b") throws {
    var bytes = [UInt8](try Data(contentsOf: file(name, of: base)))
    bytes[place < 0 ? bytes.count + place : place] ^= 0x10
    try Data(bytes).write(to: file(name, of: base), options: .atomic)
  }

  /// What an older vbert wrote: no hashes of files, no seal.
  private func makeOlder(_ base: String = "b") throws {
    let url = file("base.json", of: base)
    var fields =
      try JSONSerialization.jsonObject(with: try Data(contentsOf: url)) as? [String: Any] ?? [:]
    fields["files"] = nil
    fields["seal"] = nil
    try JSONSerialization.data(withJSONObject: fields).write(to: url)
  }

  private func damage() throws -> [String] {
    let error = #expect(throws: BaseError.self) { try store.load("b") }
    guard case .damaged("b", let files) = error else {
      Issue.record("\(String(describing: error))")
      return []
    }
    #expect(error?.description.contains("vbert base verify b") == true)
    let report = try store.verify("b")
    #expect(report.damage == files && !report.isSound)
    return files
  }

  @Test func aFlippedByteOfEachFileIsNamed() throws {
    // The weights' header, its padding aside, their first and last value; first and last bytes.
    for (name, places) in [
      ("model.safetensors", [0, 20, 4000, -1]), ("config.json", [3, -2]),
      ("vocab.txt", [1, -2]), ("tokenizer_config.json", [5]),
    ] {
      for place in places {
        try flip(name, at: place)
        #expect(try damage() == ["\(name) (has other bytes)"])
        try flip(name, at: place)
        _ = try store.load("b")
      }
    }
    #expect(try store.verify("b").isSound)
  }

  /// A size that differs tells enough: 64 GiB of nothing are not hashed to say so.
  @Test func aFileOfAnotherSizeIsNotRead() throws {
    let size = try store.record("b").files?.first { $0.name == "model.safetensors" }?.bytes
    let weights = try FileHandle(forWritingTo: file("model.safetensors"))
    try weights.truncate(atOffset: 64 << 30)
    try Data().write(to: file("tokenizer.json"))
    var read = 0
    let report = try store.verify("b") { read += $0 }
    #expect(
      report.damage == [
        "model.safetensors (has \(64 << 30) bytes, had \(size ?? 0))",
        "tokenizer.json (was not there)",
      ])
    #expect(read < 1 << 20)
    #expect(throws: BaseError.self) { try store.load("b") }
  }

  @Test func severalFilesAndOtherSizes() throws {
    try flip("config.json", at: 3)
    try Data("x\n".utf8).write(to: file("vocab.txt"))
    try FileManager.default.removeItem(at: file("model.safetensors"))
    let files = try damage()
    #expect(files.count == 3)
    #expect(files[1].hasPrefix("vocab.txt (has 2 bytes, had "))
    #expect(files[2] == "model.safetensors (is missing)")
  }

  /// What bases are known by is what it was in older vberts: the value is Python's, of names, lengths and
  /// bytes, one after the other.
  @Test func theContentHashStaysWhatItWas() throws {
    let folder = temporary.home.root.appending(path: "files")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    for (name, bytes) in [
      ("config.json", Array("{}".utf8)), ("vocab.txt", Array("a\n".utf8)),
      ("tokenizer_config.json", []), ("model.safetensors", Array(0..<10)), ("other", [1]),
    ] as [(String, [UInt8])] {
      try Data(bytes).write(to: folder.appending(path: name))
    }
    #expect(
      try BaseContents(folder).contentHash()
        == "f0db0f67a969cedb5b0787629d06667e18640bb1875957fef3f8c9648d917a04")
  }

  /// A tokenizer.json would be read instead of vocab.txt.
  @Test func aFileThatWasNotThereIsDamage() throws {
    try Data("{}".utf8).write(to: file("tokenizer.json"))
    #expect(try damage() == ["tokenizer.json (was not there)"])
  }

  /// Every byte of base.json, changed, is noticed, or says nothing that counts (spaces, the name).
  @Test func everyByteOfTheRecord() throws {
    let sound = try store.record("b")
    let bytes = [UInt8](try Data(contentsOf: file("base.json")))
    for place in bytes.indices {
      for bit: UInt8 in [0x01, 0x20] {
        var damaged = bytes
        damaged[place] ^= bit
        try Data(damaged).write(to: file("base.json"))
        guard let read = try? store.record("b") else { continue }
        #expect(read == sound, "byte \(place)")
      }
    }
  }

  /// The seal says of two members of one name only that the one which counted is right.
  @Test func aMemberTwiceIsDamage() throws {
    let text = try String(contentsOf: file("base.json"), encoding: .utf8)
    for members in ["\"name\":\"x\"", "\"more\":1,\"more\":2"] {
      let twice = "{\(members)," + text.drop { $0 == "{" || $0.isWhitespace }
      try Data(twice.utf8).write(to: file("base.json"))
      #expect(try damage() == ["base.json (is not what vbert writes)"], "\(members)")
    }
    try Data("{\"more\":1,\(text.dropFirst())".utf8).write(to: file("base.json"))
    #expect(try store.load("b").record.name == "b")
  }

  @Test func aDamagedRecordIsListedAndLeavesOthersAlone() async throws {
    _ = try store.makeSkip(base: "b", depth: 1, name: "s")
    try flip("base.json", at: 0)
    let list = try store.list()
    #expect(list.map(\.name) == ["b", "s"])
    #expect(throws: BaseError.damaged(name: "b", files: ["base.json (is not what vbert writes)"])) {
      try list[0].record.get()
    }
    #expect(try list[1].record.get().name == "s")
    try FileManager.default.removeItem(at: file("base.json"))
    #expect(try damage() == ["base.json (is missing)"])
    // With two there, one of them damaged, none is taken for the only one.
    await #expect(throws: BaseChoiceError.several(["b", "s"])) {
      try await BaseChoice(home: temporary.home, temporary.registry()).choose(nil)
    }
    try store.remove("b")
    #expect(try store.list().map(\.name) == ["s"])
  }

  @Test func anOlderBaseIsVerifiedByItsOneHash() throws {
    for name in ["model.safetensors", "config.json", "vocab.txt", "tokenizer_config.json"] {
      try makeOlder()
      try flip(name, at: -2)
      let files = try damage()
      #expect(files.count == 1 && files[0].contains(name) && files[0].hasPrefix("one of "))
      #expect(try store.record("b").files == nil, "nothing is kept of a damaged one")
      try flip(name, at: -2)
    }
    let older = try store.record("b")
    let base = try store.load("b")
    #expect(base.record.contentHash == older.contentHash)
    let newer = try store.record("b")
    #expect(newer.files?.count == 4 && newer.contentHash == older.contentHash)
    try flip("vocab.txt", at: 1)
    #expect(try damage() == ["vocab.txt (has other bytes)"])
  }

  /// base.json of an older base has no seal, but its skip depth must be the configuration's.
  @Test func anOlderRecordOfAnotherDepth() throws {
    _ = try store.makeSkip(base: "b", depth: 1, name: "s")
    try makeOlder("s")
    let url = file("base.json", of: "s")
    let text = try String(contentsOf: url, encoding: .utf8)
    try Data(text.replacing("\"skipDepth\":1", with: "\"skipDepth\":2").utf8).write(to: url)
    #expect(throws: BaseError.self) { try store.load("s") }
  }

  /// Where nothing can be written, an older base is verified at every load.
  @Test func anOlderBaseWhileBasesChange() throws {
    try makeOlder()
    let lock = try temporary.home.lock("bases")
    _ = try store.load("b")
    #expect(try store.record("b").files == nil)
    withExtendedLifetime(lock) {}
  }

  @Test func readersOfTextNeedNoWeights() throws {
    try flip("model.safetensors", at: -1)
    #expect(try store.load("b", .text).tokenizer.vocabularySize == 8)
    #expect(try damage() == ["model.safetensors (has other bytes)"])
    try flip("vocab.txt", at: 1)
    #expect(throws: BaseError.damaged(name: "b", files: ["vocab.txt (has other bytes)"])) {
      try store.load("b", .text)
    }
  }

  @Test func aDamagedBaseIsMadeAgain() throws {
    let record = try store.record("b")
    let table = file("plot/general.plot")
    try FileManager.default.createDirectory(
      at: table.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data("table".utf8).write(to: table)
    func isWhole() throws {
      #expect(
        try store.importBase(from: source.path(), name: "b").contentHash == record.contentHash)
      #expect(try store.verify("b").isSound)
      #expect(try store.record("b").created == record.created)
      #expect(FileManager.default.fileExists(atPath: table.path()))
      #expect(throws: BaseError.exists(name: "b")) {
        try store.importBase(from: source.path(), name: "b")
      }
    }
    try flip("model.safetensors", at: -1)
    try Data("{}".utf8).write(to: file("tokenizer.json"))
    try isWhole()
    try makeOlder()
    try flip("vocab.txt", at: 1)
    try isWhole()

    // Another model does not take its place.
    try flip("model.safetensors", at: -1)
    let other = temporary.home.root.appending(path: "other")
    var model = TinyModel()
    model.type = .float16
    try model.write(to: other)
    let error = #expect(throws: BaseError.self) {
      try store.importBase(from: other.path(), name: "b")
    }
    guard case .otherThanDamaged("b", record.contentHash, _) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(try damage() == ["model.safetensors (has other bytes)"])
  }

  /// Its identity is in a base.json that cannot be read: what is brought is what it is from now on.
  @Test func aBaseOfUnknownIdentityIsMadeAgain() throws {
    let record = try store.record("b")
    try flip("base.json", at: 0)
    let again = try store.importBase(from: source.path(), name: "b")
    #expect(again.contentHash == record.contentHash)
    #expect(try store.verify("b").isSound)
  }

  /// Between opening a base and making another of it hours may pass.
  @Test func aBaseThatWasDamagedMeanwhileMakesNoOther() throws {
    let base = try store.load("b")
    #expect(try store.loadAgain(base).record == base.record)
    let tensors = try base.configuration.tensors.map {
      try SafetensorsTensor(name: $0.name, copying: $0.name, from: base.weights)
    }
    let start = try SkipStart(base.weights, base.configuration, depth: 1)
    let made = start.tensors.map { name, tensor in
      SafetensorsTensor(name: name, shape: tensor.shape, floats: tensor.values)
    }
    for (file, place) in [("vocab.txt", 1), ("config.json", 0), ("model.safetensors", -1)] {
      try flip(file, at: place)
      #expect(throws: BaseError.damaged(name: "b", files: ["\(file) (has other bytes)"])) {
        try store.addSkip(
          name: "s", of: base, depth: 1,
          tensors: tensors.filter { start.tensors[$0.name] == nil } + made, distilled: true)
      }
      #expect(throws: BaseError.self) { try store.loadAgain(base) }
      try flip(file, at: place)
    }
    try store.remove("b")
    var model = TinyModel()
    model.type = .float16
    try model.write(to: source)
    _ = try store.importBase(from: source.path(), name: "b")
    #expect(throws: BaseError.replaced(name: "b")) { try store.loadAgain(base) }
    #expect(try store.list().map(\.name) == ["b"])
  }

  /// A copy of a base says what it must be.
  @Test func aDamagedCopyIsNotTakenIn() throws {
    let copy = temporary.home.root.appending(path: "copy")
    for name in ["config.json", "vocab.txt", "model.safetensors", "base.json"] {
      try? FileManager.default.removeItem(at: copy)
      try FileManager.default.copyItem(at: file("."), to: copy)
      let url = copy.appending(path: name)
      var bytes = [UInt8](try Data(contentsOf: url))
      bytes[bytes.count - 2] ^= 1
      try Data(bytes).write(to: url)
      #expect(throws: BaseError.self, "\(name)") {
        try store.importBase(from: copy.path(), name: "c")
      }
    }
    #expect(try store.list().map(\.name) == ["b"])
  }
}
