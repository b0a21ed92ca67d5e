internal import Glibc

/// The bytes of a file in pieces, unpacked if they begin as gzip does; never more than two pieces in
/// memory. A gzip file may consist of several members; zeros after the last one are ignored.
final class TextFile {
  private static let pieceBytes = 1 << 18

  let path: String
  private let descriptor: Int32
  private var input = [UInt8](repeating: 0, count: TextFile.pieceBytes)
  /// The part of `input` that is read but not yet used.
  private var available = 0..<0
  private var inflater: Inflater?
  private var betweenMembers = false
  private var isLookedAt = false

  /// Throws `ArchiveError.file` when the path cannot be read; pipes are read as they come.
  init(path: String) throws(ArchiveError) {
    self.path = path
    descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .file(.last("open", path)) }
    // A pipe may give less at a time; two bytes tell gzip from text.
    var filled = 0
    while filled < 2 {
      let count = try refill(from: filled)
      if count == 0 { break }
      filled += count
    }
    available = 0..<filled
    if available.count >= 2, input[0] == 0x1F, input[1] == 0x8B {
      inflater = Inflater(.gzip)
      if inflater == nil { throw .noMemory(path: path) }
    }
  }

  deinit { close(descriptor) }

  /// Reads behind `start`; 0 at the end of the file.
  private func refill(from start: Int) throws(ArchiveError) -> Int {
    while true {
      let count = unsafe input.withUnsafeMutableBytes { buffer in
        unsafe Glibc.read(descriptor, buffer.baseAddress?.advanced(by: start), buffer.count - start)
      }
      if count >= 0 {
        available = start..<start + count
        return count
      }
      if errno != EINTR { throw .file(.last("read", path)) }
    }
  }

  /// Replaces `piece` by the next bytes, at least one; leaves it empty at the end. Throws `file`,
  /// `corrupt` for a gzip stream that is damaged or cut short, and `notText` where the first bytes are
  /// another format's.
  func read(into piece: inout [UInt8]) throws(ArchiveError) {
    try fill(&piece)
    if !isLookedAt, let what = OtherFormat.words(piece) { throw .notText(path: path, what: what) }
    isLookedAt = true
  }

  private func fill(_ piece: inout [UInt8]) throws(ArchiveError) {
    if inflater == nil {
      if available.isEmpty, try refill(from: 0) == 0 { return piece.removeAll() }
      piece.removeAll(keepingCapacity: true)
      piece.append(contentsOf: input[available])
      available = 0..<0
    } else {
      try inflate(into: &piece)
    }
  }

  private func inflate(into piece: inout [UInt8]) throws(ArchiveError) {
    if piece.count < Self.pieceBytes { piece = [UInt8](repeating: 0, count: Self.pieceBytes) }
    while true {
      if available.isEmpty, try refill(from: 0) == 0 {
        guard betweenMembers else {
          throw .corrupt(path: path, what: "the gzip stream is cut short")
        }
        return piece.removeAll()
      }
      if betweenMembers {
        while let byte = available.first, input[byte] == 0 { available.removeFirst() }
        if available.isEmpty { continue }
        betweenMembers = false
        inflater?.reset()
      }
      let range = available
      let step = unsafe input.withUnsafeBytes { input in
        unsafe piece.withUnsafeMutableBytes { output in
          unsafe inflater?.step(
            from: UnsafeRawBufferPointer(rebasing: input[range]), into: output)
        }
      }
      guard let step else { throw .corrupt(path: path, what: "the gzip stream is invalid") }
      available.removeFirst(step.consumed)
      betweenMembers = step.ended
      if step.produced > 0 {
        piece.removeLast(piece.count - step.produced)
        return
      }
    }
  }
}
