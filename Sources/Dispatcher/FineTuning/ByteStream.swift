/// An answer that comes piece by piece, each when it is there.
struct ByteStream: Sendable {
  /// Its Content-Type.
  let type: String
  /// Of all pieces, where it is known.
  let length: Int?
  /// The next piece; nil at the end. One caller at a time.
  let next: @Sendable () async throws -> [UInt8]?
}
