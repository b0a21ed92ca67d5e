import Files

extension [UInt8] {
  func scratch(in directory: String) throws -> ScratchFile {
    try unsafe withUnsafeBytes { try unsafe ScratchFile($0, in: directory) }
  }
}
