internal import Files

/// Writes safetensors files, tensor by tensor, each whole or not at all (see `AtomicFile`).
package enum SafetensorsWriter {
  /// Replaces `path`. Data is laid out by falling element size, else in the given order, so that
  /// every tensor is aligned to its element. Throws `unwritable` for a tensor that contradicts
  /// itself, `FileError` when the disk refuses, and what making the values throws.
  package static func write(
    _ tensors: [SafetensorsTensor], metadata: [String: String] = [:], to path: String,
    isShared: Bool = false
  ) throws {
    let (start, tensors) = try layout(tensors, metadata: metadata)
    var file = try AtomicFile(replacing: path, isShared: isShared)
    try file.append(start)
    for (tensor, byteCount) in tensors {
      let bytes = try bytes(of: tensor, byteCount)
      try unsafe bytes.withUnsafeBytes { try unsafe file.append($0) }
    }
    try file.commit()
  }

  /// The same in memory, for what is small. Throws `unwritable`, and what making the values throws.
  package static func bytes(
    _ tensors: [SafetensorsTensor], metadata: [String: String] = [:]
  ) throws -> [UInt8] {
    let (start, tensors) = try layout(tensors, metadata: metadata)
    var file = start
    file.reserveCapacity(tensors.reduce(start.count) { $0 + $1.byteCount })
    for (tensor, byteCount) in tensors { file += try bytes(of: tensor, byteCount) }
    return file
  }

  /// What stands before the data, and the tensors in the order of theirs.
  private static func layout(
    _ tensors: [SafetensorsTensor], metadata: [String: String]
  ) throws -> (start: [UInt8], tensors: [(tensor: SafetensorsTensor, byteCount: Int)]) {
    let tensors = SafetensorsType.sizes.flatMap { size in
      tensors.filter { $0.type.byteCount == size }
    }
    let (header, byteCounts) = try header(tensors, metadata: metadata)
    var start: [UInt8] = []
    start.append(littleEndian: UInt64(header.count))
    return (start + header, zip(tensors, byteCounts).map { ($0, $1) })
  }

  private static func bytes(of tensor: SafetensorsTensor, _ byteCount: Int) throws -> [UInt8] {
    let bytes = try tensor.bytes()
    guard bytes.count == byteCount else {
      throw SafetensorsError.unwritable(
        name: tensor.name, what: "\(bytes.count) bytes of values, its shape needs \(byteCount)")
    }
    return bytes
  }

  /// The header's JSON, padded with spaces so that the data begins at a multiple of 8, and the bytes
  /// of each tensor.
  private static func header(
    _ tensors: [SafetensorsTensor], metadata: [String: String]
  ) throws(SafetensorsError) -> (json: [UInt8], byteCounts: [Int]) {
    var parts: [String] = []
    if !metadata.isEmpty {
      let pairs = metadata.sorted { $0.key < $1.key }
        .map { "\(quoted($0.key)):\(quoted($0.value))" }
      parts.append("\"__metadata__\":{\(pairs.joined(separator: ","))}")
    }
    var names: Set<[UInt8]> = [Array("__metadata__".utf8)]
    var byteCounts: [Int] = []
    var end = 0
    for tensor in tensors {
      guard names.insert(Array(tensor.name.utf8)).inserted else {
        throw .unwritable(name: tensor.name, what: "the name is taken")
      }
      guard tensor.shape.allSatisfy({ $0 >= 0 }),
        tensor.shape.count <= SafetensorsHeader.maximumDimensions,
        let byteCount = SafetensorsHeader.byteCount(shape: tensor.shape, type: tensor.type),
        case let (next, overflow) = end.addingReportingOverflow(byteCount), !overflow
      else { throw .unwritable(name: tensor.name, what: "impossible shape \(tensor.shape)") }
      let shape = tensor.shape.map(String.init).joined(separator: ",")
      parts.append(
        "\(quoted(tensor.name)):{\"dtype\":\"\(tensor.type.rawValue)\",\"shape\":[\(shape)],"
          + "\"data_offsets\":[\(end),\(next)]}")
      byteCounts.append(byteCount)
      end = next
    }
    var json = Array("{\(parts.joined(separator: ","))}".utf8)
    json.append(contentsOf: repeatElement(UInt8(ascii: " "), count: -json.count & 7))
    guard json.count <= SafetensorsHeader.maximumBytes else {
      throw .unwritable(name: "", what: "the names alone need a header of \(json.count) bytes")
    }
    return (json, byteCounts)
  }

  /// A JSON string.
  private static func quoted(_ text: String) -> String {
    var quoted = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": quoted += "\\\""
      case "\\": quoted += "\\\\"
      case "\u{0}"..."\u{1F}":
        let hex = String(scalar.value, radix: 16)
        quoted += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
      default: quoted.unicodeScalars.append(scalar)
      }
    }
    return quoted + "\""
  }
}

extension SafetensorsType {
  /// Element sizes, falling.
  fileprivate static let sizes = [8, 4, 2, 1]
}
