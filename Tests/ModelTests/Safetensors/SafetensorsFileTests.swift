import Files
import Foundation
import Model
import TestSupport
import Testing

@Suite struct SafetensorsFileTests {
  private let directory = FileManager.default.temporaryDirectory
    .appending(path: "vbert-safetensors-\(UUID().uuidString)")

  init() throws {
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
  }

  private func path(_ name: String) -> String { directory.appending(path: name).path() }

  /// Written by the reference library (make_fixtures.py): every readable type, odd sizes.
  @Test func readsTheReferenceLibrarysFile() throws {
    let url = Resources.packageRoot.appending(path: "Tests/ModelTests/Fixtures/types.safetensors")
    let file = try SafetensorsFile(path: url.path())
    #expect(file.metadata == ["format": "pt", "quote\"": "line\nfeed é"])
    #expect(
      file.names == ["bf16", "empty", "f16", "f32", "f64", "i32", "i64", "scalar", "u8"])
    let values: [Float] = [0, -0.0, 1, -1.5, 65504, 6e-8, .infinity, -.infinity, 0.333251953125]
    #expect(try file.shape("f32") == [3, 3])
    #expect(try file.floats("f32") == values)
    #expect(try file.floats("f32")[1].sign == .minus)
    #expect(try file.floats("f16") == values.map { Float(Float16($0)) })
    let rounded = values.map { value in
      let bits = value.bitPattern
      return Float(bitPattern: (bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF_0000)
    }
    #expect(try file.floats("bf16") == rounded)
    #expect(try file.integers("i64") == [0, -1, .max, .min, 1 << 53])
    #expect(try file.floats("i64")[3] == -0x1p63)
    #expect(try file.integers("i32") == [7, Int64(Int32.min), -3])
    #expect(try file.floats("i32")[2] == -3)
    #expect(try file.integers("u8") == [0, 255])
    #expect(try file.floats("u8") == [0, 255])
    #expect(try file.shape("scalar") == [])
    #expect(try file.floats("scalar") == [2.5])
    #expect(try file.shape("empty") == [0, 4])
    #expect(try file.floats("empty") == [])
    #expect(throws: SafetensorsError.self) { try file.floats("f64") }
    #expect(throws: SafetensorsError.self) { try file.integers("f32") }
    #expect(throws: SafetensorsError.noTensor(file: url.path(), name: "x")) { try file.shape("x") }
  }

  @Test func writesWhatItReads() throws {
    let target = path("a.safetensors")
    let values = (0..<12).map { Float($0) / 7 }
    let name = "a\"\\\u{1}/é😀"
    try SafetensorsWriter.write(
      [
        SafetensorsTensor(name: "odd", shape: [3], floats: [1, 2, 3], type: .bfloat16),
        SafetensorsTensor(name: name, shape: [3, 4], floats: values),
        SafetensorsTensor(name: "half", shape: [2], floats: [0.1, -70000], type: .float16),
        SafetensorsTensor(name: "id", shape: [1, 2], integers: [-5, 1 << 40]),
        SafetensorsTensor(name: "empty", shape: [0], floats: []),
      ], metadata: ["b": "\n", "a": "x"], to: target)
    let file = try SafetensorsFile(path: target)
    #expect(file.metadata == ["a": "x", "b": "\n"])
    #expect(try file.floats(name) == values)
    #expect(try file.floats("odd") == [1, 2, 3])
    #expect(try file.floats("half") == [Float(Float16(0.1)), -.infinity])
    #expect(try file.integers("id") == [-5, 1 << 40])
    #expect(try file.floats("empty") == [])

    let list = try file.names.map { try SafetensorsTensor(name: $0, copying: $0, from: file) }
    try SafetensorsWriter.write(list, metadata: file.metadata, to: path("memory.safetensors"))
    #expect(
      try SafetensorsWriter.bytes(list, metadata: file.metadata)
        == [UInt8](Data(contentsOf: URL(filePath: path("memory.safetensors")))))
    try FileManager.default.removeItem(atPath: path("memory.safetensors"))

    let copy = path("b.safetensors")
    try SafetensorsWriter.write(
      try file.names.map { try SafetensorsTensor(name: "x." + $0, copying: $0, from: file) },
      to: copy)
    let copied = try SafetensorsFile(path: copy)
    #expect(try copied.type("x.half") == .float16)
    #expect(try copied.floats("x." + name) == values)
    #expect(try Data(contentsOf: URL(filePath: copy)).count % 2 == 0)
    #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path()).count == 2)
  }

  @Test func aFailedWriteLeavesTheOldFile() throws {
    struct Stop: Error {}
    let target = path("c.safetensors")
    try SafetensorsWriter.write(
      [SafetensorsTensor(name: "a", shape: [1], floats: [1])], to: target)
    let before = try Data(contentsOf: URL(filePath: target))
    let good = SafetensorsTensor(
      name: "a", shape: [1 << 16], floats: [Float](repeating: 2, count: 1 << 16))
    func fail() throws -> [Float] { throw Stop() }
    #expect(throws: Stop.self) {
      try SafetensorsWriter.write(
        [good, SafetensorsTensor(name: "b", shape: [1], floats: try fail())], to: target)
    }
    for bad in [
      SafetensorsTensor(name: "b", shape: [2], floats: [1]),
      SafetensorsTensor(name: "a", shape: [1], floats: [1]),
      SafetensorsTensor(name: "__metadata__", shape: [1], floats: [1]),
      SafetensorsTensor(name: "b", shape: [-1], floats: []),
      SafetensorsTensor(name: "b", shape: [.max, 2], floats: []),
      SafetensorsTensor(name: "b", shape: [1], floats: [1], type: .int32),
    ] {
      #expect(throws: SafetensorsError.self) {
        try SafetensorsWriter.write([good, bad], to: target)
      }
      #expect(throws: SafetensorsError.self) { try SafetensorsWriter.bytes([good, bad]) }
    }
    #expect(try Data(contentsOf: URL(filePath: target)) == before)
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: directory.path()) == ["c.safetensors"])
    #expect(
      throws: FileError.refused(
        path: path("missing/"), operation: "create a file in", code: ENOENT)
    ) { try SafetensorsWriter.write([good], to: path("missing/x.safetensors")) }
  }

  @Test func refusesWhatIsNoFile() throws {
    let absent = FileError.refused(path: path("nothing"), operation: "open", code: ENOENT)
    #expect(throws: SafetensorsError.file(absent)) { try SafetensorsFile(path: path("nothing")) }
    #expect("\(SafetensorsError.file(absent))" == "\(absent)")
    for path in [directory.path(), "/dev/zero"] {
      #expect(throws: SafetensorsError.file(.notRegular(path: path))) {
        try SafetensorsFile(path: path)
      }
    }
    try Data().write(to: directory.appending(path: "empty"))
    #expect(
      throws: SafetensorsError.malformed(file: path("empty"), .noHeaderLength(fileBytes: 0))
    ) { try SafetensorsFile(path: path("empty")) }
  }

  @Test(.enabled(if: MiniLM.exists, "\(MiniLM.missing)"))
  func readsMiniLM() throws {
    let file = try SafetensorsFile(path: MiniLM.url("model.safetensors").path())
    #expect(file.names.count == 104)
    #expect(try file.integers("embeddings.position_ids") == (0..<512).map { Int64($0) })
    #expect(try file.floats("embeddings.word_embeddings.weight").count == 30522 * 384)
  }
}
