internal import Crypto
internal import Files
internal import Foundation

/// A hash that all cores compute together: SHA-256 over the length and the SHA-256 of each piece of
/// 1 MiB. One stream of SHA-256 cannot be cut; this is as strong and costs the time of one piece at
/// least.
struct PieceHash {
  static let pieceBytes = 1 << 20
  /// Pieces between two reports of progress.
  private static let round = 256

  /// In hexadecimal. `progress` hears on this thread, now and then, how many bytes were read since it
  /// heard last.
  static func text(
    of bytes: UnsafeRawBufferPointer, progress: (_ bytes: Int) -> Void = { _ in }
  ) -> String {
    let start = UInt(bitPattern: bytes.baseAddress)
    let count = bytes.count
    var whole = SHA256()
    whole.update(data: Data("vbert-pieces-1 \(count)\n".utf8))
    for first in stride(from: 0, to: count, by: round * pieceBytes) {
      let end = min(count, first + round * pieceBytes)
      let pieces = concurrentMap((end - first + pieceBytes - 1) / pieceBytes) { piece in
        let offset = first + piece * pieceBytes
        let bytes = unsafe UnsafeRawBufferPointer(
          start: UnsafeRawPointer(bitPattern: start + UInt(offset)),
          count: min(pieceBytes, end - offset))
        var hash = SHA256()
        unsafe hash.update(bufferPointer: bytes)
        return hash.finalize()
      }
      for piece in pieces { whole.update(data: Data(piece)) }
      progress(end - first)
    }
    return Hexadecimal.text(whole.finalize())
  }
}
