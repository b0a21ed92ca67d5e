internal import CZlib

/// One zlib decompression stream.
@safe struct Inflater: ~Copyable {
  enum Format: Sendable {
    /// As zip entries are.
    case raw
    case gzip
  }

  struct Step {
    var consumed: Int
    var produced: Int
    /// The stream has ended; what follows the consumed bytes belongs to something else.
    var ended: Bool
  }

  /// On the heap, as zlib keeps a pointer to it.
  private let stream: UnsafeMutablePointer<z_stream>

  /// nil when there is no memory.
  init?(_ format: Format) {
    unsafe stream = .allocate(capacity: 1)
    unsafe stream.initialize(to: z_stream())
    let bits = format == .raw ? -MAX_WBITS : MAX_WBITS + 16
    let size = unsafe Int32(MemoryLayout<z_stream>.size)
    guard unsafe inflateInit2_(stream, bits, ZLIB_VERSION, size) == Z_OK else {
      unsafe stream.deallocate()
      return nil
    }
  }

  deinit {
    unsafe inflateEnd(stream)
    unsafe stream.deallocate()
  }

  /// Begins another stream.
  mutating func reset() { unsafe inflateReset(stream) }

  /// Unpacks as much as fits; nil when the input is corrupt. Of more than 4 GiB at a time, the first
  /// 4 GiB are looked at.
  mutating func step(
    from input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
  ) -> Step? {
    let inputCount = min(input.count, Int(UInt32.max))
    let outputCount = min(output.count, Int(UInt32.max))
    unsafe stream.pointee.next_in = unsafe UnsafeMutableRawPointer(mutating: input.baseAddress)?
      .assumingMemoryBound(to: UInt8.self)
    unsafe stream.pointee.avail_in = UInt32(inputCount)
    unsafe stream.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
    unsafe stream.pointee.avail_out = UInt32(outputCount)
    let status = unsafe inflate(stream, Z_NO_FLUSH)
    guard status == Z_OK || status == Z_STREAM_END || status == Z_BUF_ERROR else { return nil }
    return unsafe Step(
      consumed: inputCount - Int(stream.pointee.avail_in),
      produced: outputCount - Int(stream.pointee.avail_out), ended: status == Z_STREAM_END)
  }
}
