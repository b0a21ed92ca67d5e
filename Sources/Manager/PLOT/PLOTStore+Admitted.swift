private import Foundation
private import Glibc
private import Model

extension PLOTStore {
  /// What the cache holds, for the next start: `admitted.plot` beside the tables.
  private var admittedFile: URL? { directory.map { $0.appending(path: "admitted.plot") } }

  /// Writes the cache's rows to disk, for a graceful stop; they replace those of an earlier stop.
  /// Nothing is written for an empty cache. Throws `PLOTError`.
  package func saveAdmitted() throws(PLOTError) {
    guard let url = admittedFile, let pin = cache.pins.pin() else { return }
    var rows: [(gram: NGram, address: UInt)] = []
    cache.forEach { rows.append(($0, $1)) }
    guard !rows.isEmpty else { return }
    // A base that no table was built for has no place for one. What is wrong with that is told below.
    try? FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true,
      attributes: [.posixPermissions: 0o700])
    let writer = try PLOTWriter(
      url, baseHash: baseHash, skipDepth: skipDepth, format: format, count: rows.count)
    for row in rows { writer.append(row.gram, encoded: row.address) }
    try writer.finish()
    withExtendedLifetime(pin) {}
  }

  /// Admits what the last graceful stop saved, while others may already look rows up. Returns how
  /// many. A file of another base, or of another row format, is of no use any more and passed over,
  /// as are damaged rows and those of tokens beyond the base's `vocabulary`.
  @discardableResult
  package func restoreAdmitted(vocabulary: Int) -> Int {
    guard let url = admittedFile,
      let file = try? PLOTFile(opening: url, baseHash: baseHash, hidden: format.hidden),
      file.format == format
    else { return 0 }
    var admitted = 0
    file.forEach { entry in
      guard entry.gram.isOf(vocabulary: vocabulary), file.matchesChecksum(entry),
        let row = unsafe UnsafeRawPointer(bitPattern: file.address(of: Int(entry.row)))
      else { return }
      unsafe [entry.gram].withUnsafeBufferPointer { unsafe cache.admit($0, rows: row) }
      admitted += 1
    }
    return admitted
  }
}
