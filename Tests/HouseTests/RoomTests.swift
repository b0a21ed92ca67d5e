import Foundation
import TestSupport
import Testing

/// The repository as it stands: who knows whom.
@Suite struct RoomTests {
  private let inspection = Inspection(rooms: House.rooms + House.tests, toolchain: House.toolchain)

  @Test func noArrowPointsUp() { #expect(inspection.arrowsUp == []) }

  @Test func everyFolderIsARoom() throws {
    let folders = try ["Sources", "Tests"].flatMap { top in
      try FileManager.default.contentsOfDirectory(
        at: Resources.packageRoot.appending(path: top),
        includingPropertiesForKeys: [.isDirectoryKey]
      ).filter { try $0.resourceValues(forKeys: [.isDirectoryKey]).isDirectory == true }
        .map { "\(top)/\($0.lastPathComponent)" }
    }
    #expect(folders.count >= 20)
    #expect(inspection.faults(folders: folders) == [])
  }

  @Test func sourcesImportWhatTheirRoomMayKnow() throws {
    let root = Resources.packageRoot
    var found: [String: Set<String>] = [:]
    for folder in ["Sources", "Tests", "Benchmarks"] {
      let walk = FileManager.default.enumerator(
        atPath: root.appending(path: folder).path(percentEncoded: false))
      while let path = walk?.nextObject() as? String {
        guard path.hasSuffix(".swift") else { continue }
        let file = root.appending(path: "\(folder)/\(path)")
        found["\(folder)/\(path)"] = imports(of: try String(contentsOf: file, encoding: .utf8))
      }
    }
    #expect(found.count > 500)
    let faults = inspection.faults(imports: found)
    #expect(faults == [])
  }

  @Test func thePackageHasTheseEdgesAndNoOthers() throws {
    let text = try String(
      contentsOf: Resources.packageRoot.appending(path: "Package.swift"), encoding: .utf8)
    let faults = inspection.faults(manifest: try Manifest(text).declarations())
    #expect(faults == [])
  }
}
