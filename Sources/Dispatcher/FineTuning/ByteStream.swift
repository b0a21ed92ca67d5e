internal import Synchronization

/// An answer that comes piece by piece, each when it is there.
struct ByteStream: Sendable {
  /// Its Content-Type.
  let type: String
  /// Of all pieces, where it is known.
  let length: Int?
  /// The next piece; nil at the end. One caller at a time.
  let next: @Sendable () async throws -> [UInt8]?
}

extension ByteStream {
  /// All of it in one piece.
  static func once(_ bytes: [UInt8], type: String) -> ByteStream {
    let rest = Mutex<[UInt8]?>(bytes)
    return ByteStream(type: type, length: bytes.count) { rest.withLock { $0.take() } }
  }
}
