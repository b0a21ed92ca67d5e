internal import Foundation

/// gzip without a packer.
package enum HandmadeGzip {
  /// One member that holds the bytes as they are.
  package static func stored(_ bytes: [UInt8]) -> [UInt8] {
    var member: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255]
    var rest = bytes[...]
    repeat {
      let block = rest.prefix(65535)
      rest = rest.dropFirst(block.count)
      member.append(rest.isEmpty ? 1 : 0)
      let count = UInt16(block.count)
      for value in [count, ~count] { member += [UInt8(value & 255), UInt8(value >> 8)] }
      member += block
    } while !rest.isEmpty
    for value in [HandmadeZip.crc(bytes), UInt32(truncatingIfNeeded: bytes.count)] {
      member += (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }
    return member
  }

  /// One member of a thousand bytes that holds a MiB of spaces.
  package static let mebibyteOfSpaces: [UInt8] = {
    let zeros = String(repeating: "A", count: 1353)
    let text = "H4sIAAAAAAAC/+3BMQEAAADCoCrrn9IQvkAB\(zeros)HwGpwID8QAAEAA="
    return Data(base64Encoded: text).map(Array.init) ?? []
  }()
}
