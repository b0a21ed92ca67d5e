internal import Files
internal import Glibc

/// A file of rows before it is read.
struct RowsFile {
  let path: String

  /// Bytes that its rows will take while they are read, a guess from above; nil for what is no file, or may
  /// be read once only.
  var readingBytes: Int? {
    var status = stat()
    guard unsafe stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
    let factor = path.hasSuffix(".gz") ? TrainingFloor.packedFactor : TrainingFloor.textFactor
    let (bytes, isTooMany) = Int(status.st_size).multipliedReportingOverflow(by: factor)
    return isTooMany ? nil : bytes
  }

  /// Opens it, but for what may be read once only. Throws what reading it would.
  func check() throws {
    var status = stat()
    let isThere = unsafe stat(path, &status) == 0
    let kind = status.st_mode & S_IFMT
    if isThere, kind != S_IFREG, kind != S_IFDIR { return }
    _ = try LineReader(path: path)
  }
}
