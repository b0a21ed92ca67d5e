/// gzip that is in memory, unpacked as far as somebody allows. What is in files is read by `LineReader`.
package enum Gzip {
  package enum Problem: Error, Equatable {
    /// Not gzip, or not as it was made; what is wrong.
    case damaged(String)
    case noMemory
  }

  private static let pieceBytes = 1 << 16

  /// All members one after the other, nothing around them. `allow` hears of every so many bytes before they are kept,
  /// and throws to stop: packed bytes say nothing of how many there will be. Throws `Problem`, and what `allow` throws.
  package static func unpacked(
    _ packed: [UInt8], _ allow: (_ more: Int) throws -> Void
  ) throws -> [UInt8] {
    guard var inflater = Inflater(.gzip) else { throw Problem.noMemory }
    var (whole, piece) = ([UInt8](), [UInt8](repeating: 0, count: pieceBytes))
    var (used, hasEnded) = (0, false)
    while used < packed.count || !hasEnded {
      if hasEnded {
        inflater.reset()
        hasEnded = false
      }
      let step = unsafe packed.withUnsafeBytes { input in
        unsafe piece.withUnsafeMutableBytes { output in
          unsafe inflater.step(
            from: UnsafeRawBufferPointer(rebasing: input[used...]), into: output)
        }
      }
      guard let step else { throw Problem.damaged("the gzip stream is invalid") }
      if step.consumed == 0, step.produced == 0, !step.ended {
        throw Problem.damaged("the gzip stream is cut short")
      }
      try allow(step.produced)
      whole.append(contentsOf: piece[..<step.produced])
      used += step.consumed
      hasEnded = step.ended
    }
    return whole
  }
}
