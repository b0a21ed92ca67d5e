internal import Files
internal import Foundation
internal import Model

/// Where a base is imported from: the folder of a Hugging Face model, on the disk or in an archive.
struct BaseSource {
  private enum Place {
    /// What the user gave.
    case directory(URL)
    case archive(ZipArchive)
  }

  private let place: Place
  /// Names of all files below the place.
  private let names: [String]
  /// Where config.json lies below it: "" or ending in "/".
  private let folder: String
  /// As errors call it: the place as the user gave it.
  private let path: String
  /// For people, in the base's record.
  let name: String

  /// Directories deeper than this are not searched.
  private static let maximumDepth = 4
  private static let maximumFiles = 20_000

  /// What errors call a file of the model, or its folder.
  func shown(_ file: String = "") -> String {
    func bare(_ path: String) -> String { path.hasSuffix("/") ? String(path.dropLast()) : path }
    return bare(bare(path) + "/" + folder + file)
  }

  /// Finds the one model in a directory, wheel or zip, or in archives that hold it in pieces, which are
  /// put together in `scratch`. Throws `BaseError`, `ArchiveError`.
  static func find(_ paths: [String], scratch: URL) throws -> BaseSource {
    guard let path = paths.first else { throw BaseError.noModel(path: "") }
    let isPiece =
      try ZipArchive.isZip(path: path) && PartedArchive.holdsPiece(ZipArchive(path: path))
    guard paths.count > 1 || isPiece else { return try find(path) }
    let whole = scratch.appending(path: BaseStore.stagingPrefix + UUID().uuidString)
    let (archive, name) = try PartedArchive.join(paths, scratch: whole.filePath)
    return try BaseSource(archive, path: name, name: name)
  }

  private init(_ archive: ZipArchive, path: String, name: String) throws {
    place = .archive(archive)
    names = archive.entries.map(\.name)
    folder = try ModelSearch(names, path: path).folder()
    (self.path, self.name) = (path, name)
  }

  private init(directory path: String) throws {
    let root = URL(filePath: path, directoryHint: .isDirectory)
    place = .directory(root)
    names = try Self.files(below: root, path: path)
    folder = try ModelSearch(names, path: path).folder()
    (self.path, name) = (path, URL(filePath: path).lastPathComponent)
  }

  private static func find(_ path: String) throws -> BaseSource {
    var isDirectory: ObjCBool = false
    guard unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
      throw BaseError.file(path: path, why: "no such file or directory")
    }
    if isDirectory.boolValue { return try BaseSource(directory: path) }
    if path.hasSuffix(".bin") || path.hasSuffix(".pt") || path.hasSuffix(".pth") {
      throw BaseError.pickle(path: path, file: path)
    }
    guard ZipArchive.isZip(path: path) else {
      throw BaseError.unsupported(
        path: path,
        what: "neither a directory nor a wheel nor a zip archive; give the model's folder")
    }
    return try BaseSource(
      ZipArchive(path: path), path: path, name: URL(filePath: path).lastPathComponent)
  }

  private static func files(below root: URL, path: String) throws -> [String] {
    var files: [String] = []
    let walk = FileManager.default.enumerator(atPath: root.filePath)
    while let file = walk?.nextObject() as? String {
      files.append(file)
      if file.split(separator: "/").count >= maximumDepth { walk?.skipDescendants() }
      guard files.count < maximumFiles else {
        throw BaseError.unsupported(
          path: path, what: "too many files to search; give the model's own directory")
      }
    }
    return files
  }

  /// A small file's bytes, by its name beside config.json; nil when there is none. Throws when it is
  /// larger than `limit`.
  func bytes(_ name: String, limit: Int) throws -> [UInt8]? {
    try bytes(at: folder + name, limit: limit)
  }

  private func bytes(at name: String, limit: Int) throws -> [UInt8]? {
    switch place {
    case .directory(let root):
      let url = root.appending(path: name)
      guard FileManager.default.fileExists(atPath: url.filePath) else { return nil }
      let file = try MappedFile(path: url.filePath)
      guard file.count <= limit else {
        throw BaseError.unsupported(
          path: path,
          what: "\(name) has \(file.count) bytes, more than \(limit): is it the right file?")
      }
      return unsafe file.withBytes { unsafe Array($0) }
    case .archive(let archive):
      return try archive.entry(name).map { try archive.bytes(of: $0, limit: limit) }
    }
  }

  /// Judges all files of the model but its weights. Throws `BaseError.unsupported`, and what reading
  /// throws.
  func judge() throws -> ModelFolder {
    // Where modules.json lies: beside config.json, or above a folder like 0_Transformer.
    var root = folder
    if !names.contains(folder + "modules.json"), !folder.isEmpty {
      let above = folder.split(separator: "/").dropLast().map { $0 + "/" }.joined()
      if names.contains(above + "modules.json") { root = above }
    }
    do {
      return try ModelFolder(
        files: files(below: folder), root: files(below: root),
        place: String(folder.dropFirst(root.count).dropLast(folder == root ? 0 : 1)))
    } catch let error
      where error is FolderProblem || error is ConfigurationError
      || error is WordPieceError
    {
      throw BaseError.unsupported(path: shown(), what: "\(error)")
    }
  }

  private func files(below folder: String) -> FolderFiles {
    let names = names.filter { $0.hasPrefix(folder) }.map { String($0.dropFirst(folder.count)) }
    return FolderFiles(names: Set(names)) { name in
      let isVocabulary = ["tokenizer.json", "vocab.txt"].contains(name)
      return try bytes(
        at: folder + name,
        limit: isVocabulary ? Base.vocabularyLimit : Base.configurationLimit * 16)
    }
  }

  /// The weights; from an archive they are unpacked to `scratch` first.
  func weights(scratch: URL) throws -> SafetensorsFile {
    let name = folder + Base.weightsFile
    switch place {
    case .directory(let root):
      return try SafetensorsFile(
        MappedFile(path: root.appending(path: name).filePath), path: shown(Base.weightsFile))
    case .archive(let archive):
      guard let entry = archive.entry(name) else {
        throw ArchiveError.noEntry(path: archive.path, name: name)
      }
      try archive.extract(entry, to: scratch.filePath)
      return try SafetensorsFile(
        MappedFile(path: scratch.filePath), path: shown(Base.weightsFile))
    }
  }
}
