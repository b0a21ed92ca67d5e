internal import Compute

/// A tensor to be written. Its values may be made when their turn comes, so that a file larger than
/// memory can be written tensor by tensor.
package struct SafetensorsTensor {
  package let name: String
  package let shape: [Int]
  package let type: SafetensorsType
  /// The values as stored bytes.
  package let bytes: () throws -> [UInt8]

  /// `floats` are row-major; `type` is F32, F16 or BF16 (rounded to nearest even).
  package init(
    name: String, shape: [Int], floats: @autoclosure @escaping () throws -> [Float],
    type: SafetensorsType = .float32
  ) {
    self.name = name
    self.shape = shape
    self.type = type
    bytes = { try Self.pack(try floats(), as: type, name: name) }
  }

  /// An I64 tensor.
  package init(name: String, shape: [Int], integers: [Int64]) {
    self.name = name
    self.shape = shape
    type = .int64
    bytes = {
      integers.flatMap { unsafe withUnsafeBytes(of: $0.littleEndian) { unsafe Array($0) } }
    }
  }

  /// A tensor of another file, as it is stored there. Throws `noTensor`.
  package init(
    name: String, copying original: String, from file: SafetensorsFile
  ) throws(SafetensorsError) {
    self.name = name
    shape = try file.shape(original)
    type = try file.type(original)
    bytes = { try unsafe file.withBytes(original) { unsafe Array($0) } }
  }

  private static func pack(
    _ values: [Float], as type: SafetensorsType, name: String
  ) throws(SafetensorsError) -> [UInt8] {
    guard let elements = type.floats else {
      throw .unwritable(name: name, what: "floats are stored as F32, F16 or BF16")
    }
    let byteCount = values.count * type.byteCount
    return unsafe [UInt8](unsafeUninitializedCapacity: byteCount) { packed, initialized in
      initialized = byteCount
      unsafe values.withUnsafeBufferPointer { values in
        unsafe Conversion.store(
          values, as: elements, into: UnsafeMutableRawBufferPointer(packed))
      }
    }
  }
}

extension MemoryTensors {
  /// All of them, by name, to be stored as `type`.
  package func stored(as type: SafetensorsType = .float32) throws -> [SafetensorsTensor] {
    try names.map {
      SafetensorsTensor(name: $0, shape: try shape($0), floats: try floats($0), type: type)
    }
  }
}
