import Files
import TestSupport
import Testing

/// Numbers, checksums and digits, against definitions of their own.
@Suite struct BytesTests {
  @Test func numbersAreLittleEndianAtAnyAddress() {
    let bytes: [UInt8] = [0, 0x01, 0x02, 0x83, 0xF4, 0x05, 0x06, 0x07, 0x88]
    unsafe bytes.withUnsafeBytes { raw in
      unsafe #expect(raw.littleEndian(UInt8.self, at: 8) == 0x88)
      unsafe #expect(raw.littleEndian(UInt16.self, at: 1) == 0x0201)
      unsafe #expect(raw.littleEndian(UInt32.self, at: 1) == 0xF483_0201)
      unsafe #expect(raw.littleEndian(Int32.self, at: 1) == Int32(bitPattern: 0xF483_0201))
      unsafe #expect(raw.littleEndian(UInt64.self, at: 1) == 0x8807_0605_F483_0201)
      unsafe #expect(
        raw.littleEndian(Int64.self, at: 1) == Int64(bitPattern: 0x8807_0605_F483_0201))
    }
    var written: [UInt8] = [9]
    written.append(littleEndian: UInt16(0x0201))
    written.append(littleEndian: Int32(-2))
    written.append(littleEndian: UInt64(1) << 56)
    #expect(written == [9, 1, 2, 0xFE, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0, 0, 0, 0, 1])
  }

  @Test func whatIsWrittenIsRead() {
    var generator = SeededGenerator(seed: 3)
    for _ in 0..<1000 {
      let number = UInt64.random(in: 0...(.max), using: &generator)
      var bytes = [UInt8](repeating: 7, count: Int(number % 8))
      let offset = bytes.count
      bytes.append(littleEndian: number)
      let read = unsafe bytes.withUnsafeBytes {
        unsafe $0.littleEndian(UInt64.self, at: offset)
      }
      #expect(read == number)
    }
  }

  private func checksum(_ bytes: [UInt8], from start: UInt32 = 0) -> UInt32 {
    unsafe bytes.withUnsafeBytes { unsafe CRC32.of($0, from: start) }
  }

  /// The check value of the standard, and a bitwise computation of our own.
  @Test func checksums() {
    #expect(checksum(Array("123456789".utf8)) == 0xCBF4_3926)
    #expect(checksum([]) == 0 && checksum([], from: 5) == 5)
    var generator = SeededGenerator(seed: 5)
    for count in [1, 7, 8, 63, 1000] {
      let bytes = generator.bytes(count: count)
      #expect(checksum(bytes) == HandmadeZip.crc(bytes))
      let half = count / 2
      let first = checksum(Array(bytes[..<half]))
      #expect(checksum(Array(bytes[half...]), from: first) == checksum(bytes), "in two parts")
    }
  }

  @Test func digits() {
    #expect(Hexadecimal.text([0, 9, 0x0A, 0x1F, 0xFF]) == "00090a1fff")
    #expect(Hexadecimal.text([]) == "")
  }
}
