/// Bytes as people and paths have them.
package enum Hexadecimal {
  /// Two digits a byte, in lower case.
  package static func text(_ bytes: some Sequence<UInt8>) -> String {
    bytes.map { byte in
      let hex = String(byte, radix: 16)
      return byte < 16 ? "0" + hex : hex
    }.joined()
  }
}
