internal import Crypto
internal import Files
internal import Foundation
package import Model

/// safetensors files of ours that carry a hash of all that is in them (metadata `content`): a domain's
/// local layers, distilled weights, a distillation's checkpoint. Files of older versions of a format
/// carry none and are taken as they are.
package enum SealedTensors {
  private static let content: String = "content"

  /// Writes the file whole or not at all; the tensors' values are made twice. Throws what making or
  /// writing them throws.
  package static func write(
    _ tensors: [SafetensorsTensor], format: String, metadata: [String: String], to path: String
  ) throws {
    var metadata = metadata
    metadata["format"] = format
    let parts = try tensors.map { tensor in
      (
        describe(tensor.name, tensor.type, tensor.shape),
        Array(SHA256.hash(data: Data(try tensor.bytes())))
      )
    }
    metadata[content] = hash(parts, metadata)
    try SafetensorsWriter.write(tensors, metadata: metadata, to: path)
  }

  /// Opens a file of this format, its hash verified; or of the format's older one, without a hash.
  /// nil for any other. Throws `SealError`, and what opening throws.
  package static func open(
    _ path: String, format: String, older: String
  ) throws -> SafetensorsFile? {
    let file = try SafetensorsFile(path: path)
    if file.metadata["format"] == older { return file }
    guard file.metadata["format"] == format else { return nil }
    let parts = try concurrentMap(file.names.count) { i in
      Result {
        let name = file.names[i]
        let bytes = try unsafe file.withBytes(name) { bytes in
          var hash = SHA256()
          unsafe hash.update(bufferPointer: bytes)
          return Array(hash.finalize())
        }
        return (describe(name, try file.type(name), try file.shape(name)), bytes)
      }
    }.map { try $0.get() }
    guard file.metadata[content] == hash(parts, file.metadata) else {
      throw SealError.damaged(path: path)
    }
    return file
  }

  private static func describe(_ name: String, _ type: SafetensorsType, _ shape: [Int]) -> String {
    "\(name.utf8.count) \(name) \(type.rawValue) \(shape)"
  }

  /// Over tensors in the order of their names, then metadata in the order of its keys.
  private static func hash(
    _ tensors: [(name: String, bytes: [UInt8])], _ metadata: [String: String]
  ) -> String {
    var hash = SHA256()
    for (name, bytes) in tensors.sorted(by: { $0.name < $1.name }) {
      hash.update(data: Data("\(name)\n".utf8))
      hash.update(data: Data(bytes))
    }
    for (key, value) in metadata.sorted(by: { $0.key < $1.key }) where key != content {
      hash.update(data: Data("\(key.utf8.count) \(key) \(value.utf8.count) \(value)\n".utf8))
    }
    return Hexadecimal.text(hash.finalize())
  }
}

/// A file that is not as it was written.
package enum SealError: Error, Equatable, CustomStringConvertible {
  case damaged(path: String)

  package var description: String {
    switch self {
    case .damaged(let path):
      "\(path) is damaged: it has other bytes than it was written with; bring a sound copy back, or "
        + "make it again"
    }
  }
}
