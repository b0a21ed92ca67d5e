internal import Model

/// One entry of a file's index, as it lies in the file.
struct PLOTIndexEntry {
  static let byteCount = 16

  var gram: NGram
  var row: UInt32

  /// No n-gram without a centre is ever stored: its row is zeros. An empty entry is all ones.
  var isEmpty: Bool { !gram.hasCentre }
}
