/// The files of a model's folder, wherever it lies: their names, and a way to read the small ones.
package struct FolderFiles {
  /// Relative to the folder, those in folders inside it too.
  package let names: Set<String>
  private let bytes: (String) throws -> [UInt8]?

  package init(names: Set<String>, read: @escaping (String) throws -> [UInt8]?) {
    (self.names, bytes) = (names, read)
  }

  /// nil where there is no such file.
  func read(_ name: String) throws -> [UInt8]? { try bytes(name) }

  /// The object that a file holds; nil where there is no such file. Throws `FolderProblem`.
  func object(_ name: String) throws -> FileObject? {
    try bytes(name).map { try FileObject(name, $0) }
  }
}
