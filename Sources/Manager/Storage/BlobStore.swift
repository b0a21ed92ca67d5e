package import Foundation

/// Trained parameters as bytes under keys, wherever they are kept: `FileBlobs` keeps a file each in the
/// home. What is under a key never changes; which keys count, the registry says.
///
/// Once `put` has returned, the bytes are safe against kill -9 and a power cut, and they are there whole
/// or not at all. Any thread may call. What cannot be done for the disk's or the network's sake is a
/// `BlobError`.
///
/// `async`, since blobs may be a network away. A store that is not answers without giving up its thread.
package protocol BlobStore: Sendable {
  /// Stores the bytes under the key that `BlobKey` made of them. The same again changes nothing, and
  /// heals what was damaged.
  func put(_ bytes: [UInt8], under key: String) async throws(BlobError)

  /// All bytes under the key, or those of the range that are there; nil where there is nothing.
  func get(_ key: String, range: Range<Int>?) async throws(BlobError) -> [UInt8]?

  /// In bytes; nil where there is nothing under the key.
  func size(of key: String) async throws(BlobError) -> Int?

  /// The keys that start with `prefix`, in order; what a sweep has put aside is not among them.
  func list(prefix: String) async throws(BlobError) -> [String]

  /// At once and for good; nothing happens where there is nothing.
  func remove(_ key: String) async throws(BlobError)

  /// Brings back what a sweep has put aside, for a key that is asked for after all; false where it is
  /// not there, or in its place already.
  func recover(_ key: String) async -> Bool

  /// While the hold lives, no sweep takes what is put and not named yet. nil where a sweep is in the way
  /// and `wait` is false; without that it waits.
  func hold(wait: Bool) async throws(BlobError) -> BlobHold?

  /// What holds and sweeps keep each other away with, for people.
  var lock: String { get }

  /// Puts aside what `known` (the names among those that start with a prefix) does not know, and deletes
  /// what has been put aside for `age` seconds and is still unknown; what is known again comes back. At
  /// no time does it hold up a publisher for long, nor wait for one. Throws what `known` throws, and what
  /// the disk or the network says; what cannot be moved stays for the next time.
  func sweep(
    age: Int, now: Date,
    known: @Sendable (_ prefix: String) async throws(RegistryError) -> Set<String>
  ) async throws -> OrphanReport

  /// Where the bytes of that key are, for people.
  func place(of key: String) -> String
}

extension BlobStore {
  package func get(_ key: String) async throws(BlobError) -> [UInt8]? {
    try await get(key, range: nil)
  }
}

/// Lets sweeps go on when the last reference goes.
package final class BlobHold: Sendable {
  private let held: (any Sendable)?

  /// `held` is what keeps sweeps away, for as long as it lives.
  package init(_ held: (any Sendable)? = nil) { self.held = held }
}

/// What a disk or a network had to say.
package struct BlobError: Error, Equatable, CustomStringConvertible {
  package let why: String

  package init(_ why: String) { self.why = why }

  package var description: String { why }
}
