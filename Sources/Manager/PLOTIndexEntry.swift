internal import Model

/// One entry of a file's index, as it lies in the file.
struct PLOTIndexEntry {
  static let byteCount = 16

  var gram: NGram
  var row: UInt32

  /// No n-gram with centre 0 is ever stored: its row is zeros.
  var isEmpty: Bool { gram.centre == 0 }
}
