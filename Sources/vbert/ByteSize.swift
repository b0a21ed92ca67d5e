import ArgumentParser
import Foundation

/// A number of bytes as people write it: 4096, 512K, 64M, 2G, 4GB (powers of 1024).
struct ByteSize: ExpressibleByArgument, CustomStringConvertible {
  let bytes: Int

  /// What may be asked for at once: the machine's memory.
  static let ofMemory = 0...Int(clamping: ProcessInfo.processInfo.physicalMemory)

  init(_ bytes: Int) { self.bytes = bytes }

  init?(argument: String) {
    let shifts: [Character: Int] = ["K": 10, "M": 20, "G": 30, "T": 40]
    let units =
      argument.last.map { "bB".contains($0) } == true ? argument.dropLast() : argument[...]
    let shift = units.last.flatMap { shifts[Character($0.uppercased())] }
    guard let number = Int(shift == nil ? units : units.dropLast()), number >= 0,
      number <= Int.max >> (shift ?? 0)
    else { return nil }
    bytes = number << (shift ?? 0)
  }

  var description: String {
    for (unit, shift) in [("G", 30), ("M", 20), ("K", 10)]
    where bytes >= 1 << shift && bytes % (1 << shift) == 0 { return "\(bytes >> shift)\(unit)" }
    return "\(bytes)"
  }

  var defaultValueDescription: String { description }
}
