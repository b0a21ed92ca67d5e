internal import Compute
private import Foundation

/// Machine code on disk, one file a compilation, named by a hash of everything that went into it:
/// text, options (the architecture is one) and NVRTC's version; its last 16 bytes are a hash of the
/// code, so that damaged code is compiled anew instead of run. A file is written beside its place and
/// renamed, so readers see all of it or none; a cache that cannot be written is no cache, but no error
/// either.
struct KernelCache: Sendable {
  /// nil: nothing is kept.
  var directory: String?

  /// `$XDG_CACHE_HOME/vbert/kernels`, by default in `~/.cache`.
  static var standard: KernelCache {
    let environment = ProcessInfo.processInfo.environment
    let root =
      environment["XDG_CACHE_HOME"].flatMap { $0.isEmpty ? nil : $0 }
      ?? environment["HOME"].map { $0 + "/.cache" }
    return KernelCache(directory: root.map { $0 + "/vbert/kernels" })
  }

  /// The machine code of `source`, from disk, or made by `compile` and kept.
  func code(
    for source: KernelCompiler.Source, version: String,
    compile: () throws(ComputeError) -> [UInt8]
  ) throws(ComputeError) -> [UInt8] {
    guard let directory else { return try compile() }
    let (text, header) = try source.text
    let path = "\(directory)/\(KernelCache.name(source, version: version, text: text + header))"
    if let kept = FileManager.default.contents(atPath: path),
      let code = KernelCache.sound([UInt8](kept))
    {
      return code
    }
    let code = try compile()
    keep(code, at: path, in: directory)
    return code
  }

  /// "rows-sm_90-6b1f….cubin".
  static func name(_ source: KernelCompiler.Source, version: String, text: String) -> String {
    var hash = FNV()
    for part in [text, version] + source.options { hash.add(part) }
    let file = source.file.split(separator: ".").first.map(String.init) ?? source.file
    return "\(file)-sm_\(source.architecture)-\(String(hash.high, radix: 16))"
      + "\(String(hash.low, radix: 16)).cubin"
  }

  /// Cubins are ELF files.
  private static let magic: [UInt8] = [0x7F, 0x45, 0x4C, 0x46]

  /// What follows the code in its file.
  static func hash(_ code: [UInt8]) -> [UInt8] {
    var hash = FNV()
    hash.add(code)
    return [hash.high, hash.low].flatMap { word in
      (0..<8).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) }
    }
  }

  /// The code of a file that is as it was written; nil for any other.
  private static func sound(_ kept: [UInt8]) -> [UInt8]? {
    let code = Array(kept.dropLast(16))
    return code.starts(with: magic) && kept.suffix(16).elementsEqual(hash(code)) ? code : nil
  }

  private func keep(_ code: [UInt8], at path: String, in directory: String) {
    let draft = "\(path).\(UInt64.random(in: 0...UInt64.max))"
    let files = FileManager.default
    do {
      try files.createDirectory(
        atPath: directory, withIntermediateDirectories: true,
        attributes: [.posixPermissions: 0o700])
      try Data(code + KernelCache.hash(code)).write(to: URL(filePath: draft))
      guard unsafe rename(draft, path) == 0 else { throw CocoaError(.fileWriteUnknown) }
    } catch {
      try? files.removeItem(atPath: draft)
    }
  }
}

/// FNV-1a, two lanes of 64 bits with different bases: enough to tell texts of our own apart.
private struct FNV {
  private(set) var low: UInt64 = 0xCBF2_9CE4_8422_2325
  private(set) var high: UInt64 = 0x9E37_79B9_7F4A_7C15

  mutating func add(_ text: String) {
    for byte in text.utf8 { add(byte) }
    add(0)
  }

  mutating func add(_ bytes: [UInt8]) { for byte in bytes { add(byte) } }

  private mutating func add(_ byte: UInt8) {
    low = (low ^ UInt64(byte)) &* 0x100_0000_01B3
    high = (high ^ (UInt64(byte) &+ low >> 32)) &* 0x100_0000_01B3
  }
}
