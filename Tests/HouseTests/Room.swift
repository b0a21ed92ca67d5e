/// A target of ours and what it may know; or a shelf of one that may know more than the rest.
struct Room {
  let target: String
  let shelf: String?
  /// Below the repository's root.
  let folder: String
  /// Rooms of ours that its sources import.
  let knows: [String]
  /// Programs of ours that it starts: an edge that no import shows.
  let runs: [String]
  /// Modules of packages that its sources import.
  let packages: [String]

  init(
    _ target: String, shelf: String? = nil, folder: String? = nil, knows: [String] = [],
    runs: [String] = [], packages: [String] = []
  ) {
    self.target = target
    self.shelf = shelf
    self.folder = (folder ?? "Sources/\(target)") + (shelf.map { "/\($0)" } ?? "")
    (self.knows, self.runs, self.packages) = (knows, runs, packages)
  }

  init(test target: String, knows: [String] = [], runs: [String] = [], packages: [String] = []) {
    self.init(target, folder: "Tests/\(target)", knows: knows, runs: runs, packages: packages)
  }

  var name: String { shelf.map { "\(target)/\($0)" } ?? target }
  var mayImport: Set<String> { Set(knows + packages) }
  var mayDepend: Set<String> { mayImport.union(runs) }
}

/// What a list of rooms, sources and a manifest say of each other, each a value.
struct Inspection {
  let rooms: [Room]
  let toolchain: Set<String>

  /// Faults of the list itself: an arrow to a room that stands below it.
  var arrowsUp: [String] {
    let targets = rooms.map(\.target)
    return rooms.flatMap { room in
      let place = targets.firstIndex(of: room.target) ?? 0
      return (room.knows + room.runs).filter { !targets[..<place].contains($0) }.map {
        targets.contains($0)
          ? "the list lets \(room.name) know \($0), which stands above it"
          : "the list lets \(room.name) know \($0), which is no room"
      }
    }
  }

  /// The room that a file belongs to: the one with the longest folder. The path is below the root.
  func room(of path: String) -> Room? {
    rooms.filter { path.hasPrefix($0.folder + "/") }.max { $0.folder.count < $1.folder.count }
  }

  /// `imports` has each Swift file's, by its path.
  func faults(imports: [String: Set<String>]) -> [String] {
    var found: [String: Set<String>] = [:]
    var faults: [String] = []
    for (path, modules) in imports.sorted(by: { $0.key < $1.key }) {
      guard let room = room(of: path) else {
        faults.append("\(path) lies in no room of the list")
        continue
      }
      let modules = modules.subtracting(toolchain)
      found[room.name, default: []].formUnion(modules)
      for module in modules.subtracting(room.mayImport).sorted() {
        faults.append("\(path) imports \(module), which \(room.name) may not know")
      }
    }
    for room in rooms {
      for module in room.mayImport.subtracting(found[room.name] ?? []).sorted() {
        faults.append("the list lets \(room.name) know \(module), which nothing there imports")
      }
    }
    return faults
  }

  /// `manifest` has each declaration of a target.
  func faults(manifest: [Declaration]) -> [String] {
    var faults: [String] = []
    for declared in manifest {
      let own = rooms.filter {
        $0.target == declared.target && !declared.excluded.contains($0.shelf ?? "")
      }
      guard !own.isEmpty else {
        faults.append("Package.swift has \(declared.target), which is no room of the list")
        continue
      }
      let due = own.reduce(into: Set()) { $0.formUnion($1.mayDepend) }
      for edge in declared.edges.subtracting(due).sorted() {
        faults.append("Package.swift: \(declared.target) depends on \(edge) and does not import it")
      }
      for edge in due.subtracting(declared.edges).sorted() {
        faults.append("Package.swift: \(declared.target) imports \(edge) and does not depend on it")
      }
    }
    for target in Set(rooms.map(\.target)).subtracting(manifest.map(\.target)).sorted() {
      faults.append("Package.swift does not build \(target)")
    }
    return faults
  }

  /// `folders` are those that lie in Sources and in Tests.
  func faults(folders: [String]) -> [String] {
    folders.filter { folder in !rooms.contains { $0.folder == folder } }
      .map { "\($0) is no room of the list" }
  }
}
