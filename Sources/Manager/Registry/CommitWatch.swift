internal import GRDBSQLite

/// Tells without a system call whether any connection of any process has committed to a database in
/// WAL mode.
///
/// It looks where SQLite's own readers look: at the header of the WAL index, which every commit
/// rewrites before it returns (https://www.sqlite.org/walformat.html, section 2.1). Of the header's
/// two copies the first is the one written last, so a header as it was means that no commit has
/// returned since; one that is being written looks changed, which costs a query and no more.
@safe struct CommitWatch: Sendable {
  /// The header's 48 bytes as they were at one moment.
  struct Mark: Equatable {
    fileprivate var words: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64)

    static func == (a: Mark, b: Mark) -> Bool {
      a.words.0 == b.words.0 && a.words.1 == b.words.1 && a.words.2 == b.words.2
        && a.words.3 == b.words.3 && a.words.4 == b.words.4 && a.words.5 == b.words.5
    }
  }

  /// Memory of the connection that it was made with, shared with all others.
  @safe nonisolated(unsafe) private let header: UnsafeRawPointer

  /// Blocks of the WAL index, as the format says.
  private static let blockBytes: Int32 = 32768

  /// For a connection that has read its database and outlives the watch; nil where there is no WAL
  /// index in shared memory.
  init?(_ connection: OpaquePointer) {
    var pointer: UnsafeMutablePointer<sqlite3_file>?
    let status = unsafe withUnsafeMutablePointer(to: &pointer) {
      unsafe sqlite3_file_control(connection, "main", SQLITE_FCNTL_FILE_POINTER, $0)
    }
    guard status == SQLITE_OK, let file = unsafe pointer,
      let methods = unsafe file.pointee.pMethods, unsafe methods.pointee.iVersion >= 2,
      let map = unsafe methods.pointee.xShmMap
    else { return nil }
    var block: UnsafeMutableRawPointer?
    guard unsafe map(file, 0, Self.blockBytes, 0, &block) == SQLITE_OK, let block = unsafe block
    else { return nil }
    header = UnsafeRawPointer(block)
  }

  var mark: Mark {
    func word(_ i: Int) -> UInt64 { unsafe header.load(fromByteOffset: 8 * i, as: UInt64.self) }
    return Mark(words: (word(0), word(1), word(2), word(3), word(4), word(5)))
  }
}
