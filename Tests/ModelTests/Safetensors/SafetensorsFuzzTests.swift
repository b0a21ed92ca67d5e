import Model
import TestSupport
import Testing

@Suite struct SafetensorsFuzzTests {
  /// A small valid file of random tensors.
  private func valid(_ generator: inout SeededGenerator) -> [UInt8] {
    var parts: [String] = []
    var end = 0
    if Bool.random(using: &generator) { parts.append(#""__metadata__":{"format":"pt","é":"\n"}"#) }
    for i in 0..<Int.random(in: 0...5, using: &generator) {
      let type = SafetensorsType.allCases.randomElement(using: &generator) ?? .float32
      let shape = (0..<Int.random(in: 0...3, using: &generator)).map { _ in
        Int.random(in: 0...3, using: &generator)
      }
      let next = end + shape.reduce(type.byteCount, *)
      parts.append(
        "\"t.\(i)\\u00e9\":{\"dtype\":\"\(type.rawValue)\",\"shape\":\(shape),"
          + "\"data_offsets\":[\(end),\(next)]}")
      end = next
    }
    return safetensors("{\(parts.joined(separator: ","))}", dataBytes: end)
  }

  /// Whatever is accepted must be readable to its last byte; everything else must throw.
  private func read(_ bytes: [UInt8]) -> Bool {
    guard let file = try? SafetensorsFile(bytes: bytes) else { return false }
    var total = 0
    for name in file.names {
      guard let shape = try? file.shape(name), let type = try? file.type(name) else {
        Issue.record("a listed name is not there")
        continue
      }
      _ = try? unsafe file.withBytes(name) { bytes in
        total += bytes.count
        #expect(bytes.count == shape.reduce(type.byteCount, *))
        return unsafe bytes.reduce(0) { $0 ^ $1 }
      }
      let floats = try? file.floats(name)
      #expect((floats != nil) == type.isReadable)
      #expect(floats?.count ?? shape.reduce(1, *) == shape.reduce(1, *))
      _ = try? file.integers(name)
    }
    let header = bytes.prefix(8).enumerated().reduce(0) { $0 + Int($1.element) << ($1.offset * 8) }
    #expect(total == bytes.count - 8 - header)
    return true
  }

  @Test func fuzzedFilesNeverTrap() {
    var accepted = 0
    Fuzz.run { generator, seed in
      var bytes = valid(&generator)
      #expect(read(bytes), "seed \(seed)")
      for _ in 0..<20 {
        var mutant = bytes
        if Bool.random(using: &generator) {
          generator.mutate(&mutant)
        } else if bytes.count > 8 {
          // Keep the length truthful, so that the parser sees the damage.
          var header = Array(mutant[8...])
          generator.mutate(&header)
          mutant = safetensors(String(decoding: header, as: UTF8.self))
        }
        if read(mutant) { accepted += 1 }
      }
      bytes = Array(bytes.prefix(Int.random(in: 0...bytes.count, using: &generator)))
      _ = read(bytes)
      _ = read(generator.bytes(count: Int.random(in: 0...64, using: &generator)))
    }
    #expect(accepted > 0)
  }
}
