internal import Model

extension AtomicFile {
  /// The whole file at once.
  static func write(_ bytes: [UInt8], to path: String) throws(SafetensorsError) {
    var file = try AtomicFile(replacing: path)
    try file.append(bytes)
    try file.commit()
  }
}
