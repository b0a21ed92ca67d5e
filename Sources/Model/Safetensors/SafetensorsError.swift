package import Files

/// What can be wrong with a safetensors file, or with writing one.
package enum SafetensorsError: Error, Equatable, CustomStringConvertible {
  /// It cannot be read at all.
  case file(FileError)
  /// The bytes are not a truthful safetensors file.
  case malformed(file: String, SafetensorsProblem)
  case noTensor(file: String, name: String)
  /// The tensor is there, but its numbers cannot be read as what was asked for.
  case wrongType(file: String, name: String, found: SafetensorsType, expected: String)
  /// The tensor to be written contradicts itself.
  case unwritable(name: String, what: String)

  package var description: String {
    switch self {
    case .file(let error): "\(error)"
    case .malformed(let file, let problem):
      "\(file) is not a valid safetensors file: \(problem); fetch or export it again"
    case .noTensor(let file, let name):
      "\(file) has no tensor \"\(name.clipped)\"; it does not hold the model that was expected"
    case .wrongType(let file, let name, let found, let expected):
      "tensor \"\(name.clipped)\" in \(file) holds \(found.rawValue), expected \(expected); "
        + "export it as F32, F16 or BF16"
    case .unwritable(let name, let what):
      "cannot write tensor \"\(name.clipped)\": \(what)"
    }
  }
}

/// The lie that a safetensors file was caught in.
package enum SafetensorsProblem: Error, Equatable, CustomStringConvertible {
  /// Shorter than the eight bytes that give the header's length.
  case noHeaderLength(fileBytes: Int)
  case headerTooLong(bytes: UInt64)
  case headerPastEnd(headerBytes: Int, fileBytes: Int)
  /// `offset` counts bytes from the start of the header.
  case syntax(offset: Int, what: String)
  case duplicateName(String)
  case unknownType(name: String, type: String)
  case shapeOverflow(name: String)
  case wrongLength(name: String, expected: Int, found: Int)
  case outOfBounds(name: String, end: Int, dataBytes: Int)
  case overlap(String, String)
  case gap(before: String, bytes: Int)
  case trailingBytes(Int)

  package var description: String {
    switch self {
    case .noHeaderLength(let bytes): "it has \(bytes) bytes, too few for a header"
    case .headerTooLong(let bytes):
      "its header claims \(bytes) bytes, the format allows \(SafetensorsHeader.maximumBytes)"
    case .headerPastEnd(let header, let file):
      "its header claims \(header) bytes, but the file ends after \(file); it is cut short"
    case .syntax(let offset, let what): "header byte \(offset): \(what)"
    case .duplicateName(let name): "the name \"\(name.clipped)\" occurs twice"
    case .unknownType(let name, let type):
      "tensor \"\(name.clipped)\" has the unknown type \"\(type.clipped)\""
    case .shapeOverflow(let name): "the size of tensor \"\(name.clipped)\" overflows"
    case .wrongLength(let name, let expected, let found):
      "tensor \"\(name.clipped)\" has \(found) bytes, its shape and type need \(expected)"
    case .outOfBounds(let name, let end, let data):
      "tensor \"\(name.clipped)\" ends at byte \(end) of \(data) bytes of data"
    case .overlap(let first, let second):
      "tensors \"\(first.clipped)\" and \"\(second.clipped)\" overlap"
    case .gap(let name, let bytes): "\(bytes) unused bytes before tensor \"\(name.clipped)\""
    case .trailingBytes(let bytes): "\(bytes) bytes after the last tensor"
    }
  }
}

extension String {
  /// Short enough for an error message, whatever a file put into the name.
  var clipped: String {
    unicodeScalars.count <= 80
      ? self : String(String.UnicodeScalarView(unicodeScalars.prefix(80))) + "…"
  }
}
