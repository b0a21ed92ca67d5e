internal import Files
internal import Foundation
internal import Model

/// Where a base is imported from: the folder of a Hugging Face model, on the disk or in an archive.
enum BaseSource {
  case directory(URL)
  /// `folder` is empty or ends in "/".
  case archive(ZipArchive, folder: String)

  /// Directories deeper than this are not searched.
  private static let maximumDepth = 4
  private static let maximumFiles = 20_000

  /// Finds the one model in a directory, wheel or zip, or in archives that hold it in pieces, which are
  /// put together in `scratch`; with what to call the source. Throws `BaseError`, `ArchiveError`.
  static func find(_ paths: [String], scratch: URL) throws -> (source: BaseSource, name: String) {
    guard let path = paths.first else { throw BaseError.noModel(path: "") }
    let isPiece =
      try ZipArchive.isZip(path: path) && PartedArchive.holdsPiece(ZipArchive(path: path))
    guard paths.count > 1 || isPiece else {
      return (try find(path), URL(filePath: path).lastPathComponent)
    }
    let whole = scratch.appending(path: BaseStore.stagingPrefix + UUID().uuidString)
    let (archive, name) = try PartedArchive.join(paths, scratch: whole.filePath)
    let folder = try modelFolder(in: archive.entries.map(\.name), path: name)
    return (.archive(archive, folder: folder), name)
  }

  private static func find(_ path: String) throws -> BaseSource {
    var isDirectory: ObjCBool = false
    guard unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
      throw BaseError.file(path: path, why: "no such file or directory")
    }
    if isDirectory.boolValue {
      let root = URL(filePath: path, directoryHint: .isDirectory)
      let folder = try modelFolder(in: files(below: root), path: path)
      return .directory(folder.isEmpty ? root : root.appending(path: folder))
    }
    if path.hasSuffix(".bin") || path.hasSuffix(".pt") || path.hasSuffix(".pth") {
      throw BaseError.pickle(path: path, file: path)
    }
    guard ZipArchive.isZip(path: path) else {
      throw BaseError.unsupported(
        path: path, what: "neither a directory nor a wheel nor a zip archive")
    }
    let archive = try ZipArchive(path: path)
    return .archive(archive, folder: try modelFolder(in: archive.entries.map(\.name), path: path))
  }

  private static func files(below root: URL) throws -> [String] {
    var files: [String] = []
    let walk = FileManager.default.enumerator(atPath: root.filePath)
    while let file = walk?.nextObject() as? String {
      files.append(file)
      if file.split(separator: "/").count >= maximumDepth { walk?.skipDescendants() }
      guard files.count < maximumFiles else {
        throw BaseError.unsupported(
          path: root.filePath,
          what: "too many files to search; give the model's own directory")
      }
    }
    return files
  }

  /// The folder, of the least depth, that holds config.json beside model.safetensors; "" or ending
  /// in "/". Throws `BaseError` where there is none, with the likely reason, or several.
  static func modelFolder(in files: [String], path: String) throws(BaseError) -> String {
    let all = Set(files)
    func depth(_ folder: String) -> Int { folder.utf8.count(where: { $0 == UInt8(ascii: "/") }) }
    let folders = files.filter { $0 == "config.json" || $0.hasSuffix("/config.json") }
      .map { String($0.dropLast("config.json".count)) }
    let models = folders.filter { all.contains($0 + Base.weightsFile) }
    let least = models.map(depth).min()
    let nearest = models.filter { depth($0) == least }.sorted()
    if nearest.count > 1 { throw .severalModels(path: path, folders: nearest) }
    if let folder = nearest.first { return folder }
    for folder in folders {
      if all.contains(folder + Base.weightsFile + ".index.json") {
        throw .unsupported(
          path: path, what: "its weights are in several files; save them as one model.safetensors")
      }
      for pickle in ["pytorch_model.bin", "model.ckpt", "model.pt"]
      where all.contains(folder + pickle) {
        throw .pickle(path: path, file: folder + pickle)
      }
    }
    throw .noModel(path: path)
  }

  /// A small file's bytes; nil when there is none. Throws when it is larger than `limit`.
  func bytes(_ name: String, limit: Int) throws -> [UInt8]? {
    switch self {
    case .directory(let folder):
      let url = folder.appending(path: name)
      guard FileManager.default.fileExists(atPath: url.filePath) else {
        return nil
      }
      let file = try MappedFile(path: url.filePath)
      guard file.count <= limit else {
        throw ArchiveError.entryTooLarge(
          path: folder.filePath, name: name, bytes: file.count, limit: limit)
      }
      return unsafe file.withBytes { unsafe Array($0) }
    case .archive(let archive, let folder):
      return try archive.entry(folder + name).map { try archive.bytes(of: $0, limit: limit) }
    }
  }

  /// The weights; from an archive they are unpacked to `scratch` first.
  func weights(scratch: URL) throws -> SafetensorsFile {
    switch self {
    case .directory(let folder):
      return try SafetensorsFile(
        path: folder.appending(path: Base.weightsFile).filePath)
    case .archive(let archive, let folder):
      guard let entry = archive.entry(folder + Base.weightsFile) else {
        throw ArchiveError.noEntry(path: archive.path, name: folder + Base.weightsFile)
      }
      try archive.extract(entry, to: scratch.filePath)
      return try SafetensorsFile(path: scratch.filePath)
    }
  }
}
