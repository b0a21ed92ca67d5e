internal import Crypto
internal import Files
internal import Foundation
internal import Model

/// One file of a base, as it was when the base was made: `digest` is its `PieceHash`.
package struct BaseFile: Codable, Sendable, Hashable {
  package var name: String
  package var bytes: Int
  package var digest: String
}

/// The files of a base as they lie on the disk: the small ones read, the weights mapped, each once.
/// What is verified is what is then used.
struct BaseContents: Sendable {
  let directory: URL
  /// Configuration and vocabulary, those that are there.
  let small: [(name: String, bytes: [UInt8])]
  /// nil where there are none, or none of the size that was expected.
  let weights: MappedFile?
  /// Bytes of weights that were left unread.
  let otherWeights: Int?

  /// Files in the order in which the content hash takes them.
  static let names = [Base.configurationFile] + Base.vocabularyFiles + [Base.weightsFile]

  /// Weights of another size than those of `expected` are not opened. Throws `BaseError.file` where the
  /// disk refuses, `invalid` for a file of impossible size.
  init(_ directory: URL, expected: [BaseFile]? = nil) throws(BaseError) {
    self.directory = directory
    var small: [(name: String, bytes: [UInt8])] = []
    for name in Self.names.dropLast() {
      let limit =
        name == Base.configurationFile ? Base.configurationLimit : Base.vocabularyLimit
      guard let file = try Self.map(directory, name) else { continue }
      guard file.count <= limit else {
        throw .invalid(
          path: directory.filePath, what: "\(name) has \(file.count) bytes, more than \(limit)")
      }
      small.append((name, unsafe file.withBytes { unsafe Array($0) }))
    }
    self.small = small
    let size =
      (try? FileManager.default.attributesOfItem(
        atPath: directory.appending(path: Base.weightsFile).filePath))?[.size] as? Int
    let known = expected?.first { $0.name == Base.weightsFile }?.bytes
    otherWeights = size == nil || known == nil || size == known ? nil : size
    weights = otherWeights == nil ? try Self.map(directory, Base.weightsFile) : nil
  }

  private static func map(_ directory: URL, _ name: String) throws(BaseError) -> MappedFile? {
    let path = directory.appending(path: name).filePath
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    do { return try MappedFile(path: path) } catch {
      throw .file(path: path, why: "\(error)")
    }
  }

  /// A small file's bytes; nil where it is not there.
  func bytes(_ name: String) -> [UInt8]? { small.first { $0.name == name }?.bytes }

  var byteCount: Int { small.reduce(weights?.count ?? 0) { $0 + $1.bytes.count } }

  private func forEach(_ body: (String, UnsafeRawBufferPointer) -> Void) {
    for (name, bytes) in small { unsafe bytes.withUnsafeBytes { unsafe body(name, $0) } }
    unsafe weights?.withBytes { unsafe body(Base.weightsFile, $0) }
  }

  /// Each file's, on all cores; the weights' too unless they are left out. Where there are files to
  /// compare with, one of another size or name is not read: its digest is empty.
  func files(
    weights: Bool = true, comparedWith expected: [BaseFile]? = nil,
    progress: (_ bytes: Int) -> Void = { _ in }
  ) -> [BaseFile] {
    var files: [BaseFile] = []
    unsafe forEach { name, bytes in
      guard weights || name != Base.weightsFile else { return }
      var file = BaseFile(name: name, bytes: bytes.count, digest: "")
      if expected?.contains(where: { $0.name == name && $0.bytes == bytes.count }) ?? true {
        file.digest = unsafe PieceHash.text(of: bytes, progress: progress)
      }
      files.append(file)
    }
    if let otherWeights {
      files.append(BaseFile(name: Base.weightsFile, bytes: otherWeights, digest: ""))
    }
    return files
  }

  /// What the base is known by: SHA-256 over each file's name, length and bytes, on one core.
  func contentHash(progress: (_ bytes: Int) -> Void = { _ in }) -> String {
    var hash = SHA256()
    let step = 64 << 20
    unsafe forEach { name, bytes in
      hash.update(data: Data("\(name) \(bytes.count)\n".utf8))
      for start in stride(from: 0, to: bytes.count, by: step) {
        let end = min(bytes.count, start + step)
        unsafe hash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: bytes[start..<end]))
        progress(end - start)
      }
    }
    return Hexadecimal.text(hash.finalize())
  }
}
