private import Foundation

/// Where a library may lie, most wanted first: the directories that the user named, CUDA_HOME and
/// CUDA_PATH, the loader's own places, /usr/local/cuda, and Python environments' wheels.
struct LibrarySearch {
  /// Directories given by flag.
  var directories: [String] = []
  var environment: [String: String]
  /// Names in a directory; empty if it cannot be read.
  var list: (String) -> [String]

  /// This process's environment and disk.
  static func here(directories: [String]) -> LibrarySearch {
    LibrarySearch(
      directories: directories, environment: ProcessInfo.processInfo.environment,
      list: { (try? FileManager.default.contentsOfDirectory(atPath: $0)) ?? [] })
  }

  /// What to hand to the loader, in order; a name without a slash is looked up by the loader.
  func candidates(for kind: LibraryKind) -> [String] {
    var first: [String] = directories
    for variable in ["CUDA_HOME", "CUDA_PATH"] {
      if let home = environment[variable], !home.isEmpty { first.append(home + "/lib64") }
    }
    let later = ["/usr/local/cuda/lib64", "/usr/local/nvidia/lib64"] + wheels(for: kind)
    return first.flatMap { present(kind, in: $0) } + kind.fileNames
      + later.flatMap { present(kind, in: $0) }
  }

  private func present(_ kind: LibraryKind, in directory: String) -> [String] {
    let names = Set(list(directory))
    return kind.fileNames.filter(names.contains).map { "\(directory)/\($0)" }
  }

  private func wheels(for kind: LibraryKind) -> [String] {
    sitePackages.flatMap { site in kind.wheelDirectories.map { "\(site)/\($0)" } }
  }

  /// The site-packages of the active environment, of the first python3 on the path and of the system.
  private var sitePackages: [String] {
    var prefixes: [String] = []
    for variable in ["VIRTUAL_ENV", "CONDA_PREFIX"] {
      if let prefix = environment[variable], !prefix.isEmpty { prefixes.append(prefix) }
    }
    let path = (environment["PATH"] ?? "").split(separator: ":").map(String.init)
    if let bin = path.first(where: { list($0).contains("python3") }), bin.hasSuffix("/bin") {
      prefixes.append(String(bin.dropLast(4)))
    }
    prefixes.append("/usr/local")
    return prefixes.flatMap { prefix in
      list(prefix + "/lib").filter { $0.hasPrefix("python3") }.sorted(by: >).flatMap {
        ["\(prefix)/lib/\($0)/site-packages", "\(prefix)/lib/\($0)/dist-packages"]
      }
    }
  }
}
