internal import Compute
package import Files

/// A checked safetensors file, mapped or in memory. Opening it reads the header alone; everything
/// the header says holds once it is open.
package final class SafetensorsFile: TensorSource, Sendable {
  private enum Storage: Sendable {
    case mapped(MappedFile)
    case bytes([UInt8])
  }

  /// What error messages call the file.
  package let source: String
  /// Sorted by UTF-8.
  package let names: [String]
  package let metadata: [String: String]
  private let entries: [[UInt8]: SafetensorsHeader.Entry]
  private let storage: Storage
  private let dataStart: Int

  /// Maps the file. Throws `file` when it cannot be opened, `malformed` when its header lies.
  package convenience init(path: String) throws(SafetensorsError) {
    let file: MappedFile
    do { file = try MappedFile(path: path) } catch { throw .file(error) }
    try self.init(source: path, storage: .mapped(file))
  }

  /// The same of a file that is mapped already; `path` is what messages call it. Throws `malformed`.
  package convenience init(_ mapped: MappedFile, path: String) throws(SafetensorsError) {
    try self.init(source: path, storage: .mapped(mapped))
  }

  /// The same from memory. Throws `malformed`.
  package convenience init(bytes: [UInt8]) throws(SafetensorsError) {
    try self.init(source: "data", storage: .bytes(bytes))
  }

  private init(source: String, storage: Storage) throws(SafetensorsError) {
    self.source = source
    self.storage = storage
    do throws(SafetensorsProblem) {
      let (start, header) = try unsafe Self.withBytes(of: storage) {
        (bytes) throws(SafetensorsProblem) in try unsafe Self.readHeader(bytes)
      }
      dataStart = start
      metadata = header.metadata
      names = header.entries.map(\.name).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
      var entries: [[UInt8]: SafetensorsHeader.Entry] = [:]
      for entry in header.entries { entries[Array(entry.name.utf8)] = entry }
      self.entries = entries
    } catch {
      throw .malformed(file: source, error)
    }
  }

  /// File: 8 bytes header length (little-endian), header, data.
  private static func readHeader(
    _ bytes: UnsafeRawBufferPointer
  ) throws(SafetensorsProblem) -> (dataStart: Int, SafetensorsHeader) {
    guard bytes.count >= 8 else { throw .noHeaderLength(fileBytes: bytes.count) }
    let length = unsafe bytes.littleEndian(UInt64.self, at: 0)
    guard length <= UInt64(SafetensorsHeader.maximumBytes) else {
      throw .headerTooLong(bytes: length)
    }
    let end = 8 + Int(length)
    guard end <= bytes.count else {
      throw .headerPastEnd(headerBytes: Int(length), fileBytes: bytes.count)
    }
    let json = unsafe Array(bytes[8..<end])
    return (end, try SafetensorsHeader(json: json, dataBytes: bytes.count - end))
  }

  private static func withBytes<Result, Failure: Error>(
    of storage: Storage, _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    switch storage {
    case .mapped(let file): try unsafe file.withBytes(body)
    case .bytes(let bytes):
      try unsafe bytes.span.bytes.withUnsafeBytes { (raw) throws(Failure) in try unsafe body(raw) }
    }
  }

  private func entry(_ name: String) throws(SafetensorsError) -> SafetensorsHeader.Entry {
    guard let entry = entries[Array(name.utf8)] else { throw .noTensor(file: source, name: name) }
    return entry
  }

  package func contains(_ name: String) -> Bool { entries[Array(name.utf8)] != nil }

  /// Throws `noTensor`.
  package func shape(_ name: String) throws(SafetensorsError) -> [Int] { try entry(name).shape }

  /// Throws `noTensor`.
  package func type(_ name: String) throws(SafetensorsError) -> SafetensorsType {
    try entry(name).type
  }

  /// The tensor's bytes as stored, at any alignment; valid inside `body` only. Throws `noTensor`,
  /// and what `body` throws.
  package func withBytes<Result>(
    _ name: String, _ body: (UnsafeRawBufferPointer) throws -> Result
  ) throws -> Result {
    try unsafe bytes(of: entry(name), body)
  }

  /// The tensor's values, row-major, converted to float32 (64-bit integers lose what a float32
  /// cannot hold). Throws `noTensor`, and `wrongType` for types that do not convert.
  package func floats(_ name: String) throws(SafetensorsError) -> [Float] {
    let entry = try entry(name)
    guard entry.type.isReadable else {
      throw .wrongType(
        file: source, name: name, found: entry.type, expected: "F32, F16, BF16 or whole numbers")
    }
    let count = entry.range.count / entry.type.byteCount
    return unsafe bytes(of: entry) { bytes in
      unsafe [Float](unsafeUninitializedCapacity: count) { values, initialized in
        if let type = entry.type.floats {
          unsafe Conversion.load(
            bytes, as: type, into: UnsafeMutableBufferPointer(rebasing: values[..<count]))
        } else {
          for i in 0..<count { unsafe values[i] = Float(bytes.whole(entry.type, i)) }
        }
        initialized = count
      }
    }
  }

  /// The values of an I64, I32 or U8 tensor. Throws `noTensor`, `wrongType`.
  package func integers(_ name: String) throws(SafetensorsError) -> [Int64] {
    let entry = try entry(name)
    guard entry.type.isWhole else {
      throw .wrongType(
        file: source, name: name, found: entry.type, expected: "I64, I32 or U8")
    }
    return unsafe bytes(of: entry) { bytes in
      (0..<entry.range.count / entry.type.byteCount).map {
        unsafe bytes.whole(entry.type, $0)
      }
    }
  }

  private func bytes<Result, Failure: Error>(
    of entry: SafetensorsHeader.Entry,
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try unsafe Self.withBytes(of: storage) { (all) throws(Failure) in
      try unsafe body(
        UnsafeRawBufferPointer(
          rebasing: all[dataStart + entry.range.lowerBound..<dataStart + entry.range.upperBound]))
    }
  }
}

extension UnsafeRawBufferPointer {
  /// Element `i` of a tensor of whole numbers.
  fileprivate func whole(_ type: SafetensorsType, _ i: Int) -> Int64 {
    switch type {
    case .int64: unsafe littleEndian(Int64.self, at: 8 * i)
    case .int32: unsafe Int64(littleEndian(Int32.self, at: 4 * i))
    default: unsafe Int64(self[i])
    }
  }
}
