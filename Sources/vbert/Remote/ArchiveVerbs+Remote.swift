import Foundation
import Manager
import Model
import VBERTClient

extension ExportCommand: RemoteVerb {
  func run(on client: VBERTClient) async throws {
    let target = URL(filePath: directory, directoryHint: .isDirectory)
    guard !FileManager.default.fileExists(atPath: directory) else {
      throw DirectoryError.exists(directory)
    }
    var number = version
    if number == nil { number = try await client.vbert(name.text).version }
    let bytes = try await client.export(name.text, version: number)
    let parent = target.standardizedFileURL.deletingLastPathComponent()
    let part = parent.appending(path: ".\(target.lastPathComponent).part")
    let unpacked = parent.appending(
      path: ".\(target.lastPathComponent).parts", directoryHint: .isDirectory)
    defer {
      try? FileManager.default.removeItem(at: part)
      try? FileManager.default.removeItem(at: unpacked)
    }
    try Data(bytes).write(to: part)
    try ExportArchive.unpack(part.path(percentEncoded: false), byteCount: bytes.count, to: unpacked)
    try FileManager.default.moveItem(at: unpacked, to: target)
    if options.json {
      try Output.json(["vbert": name.text, "version": number.map { "\($0)" } ?? ""])
    } else {
      print("\(name)\(number.map { " version \($0)" } ?? "") is in \(directory)")
    }
  }
}

extension ImportCommand: RemoteVerb {
  func run(on client: VBERTClient) async throws {
    let archive = try ExportArchive.pack(URL(filePath: directory, directoryHint: .isDirectory))
    if let into {
      let made = try await client.importArchive(archive, into: into.text)
      if options.json { return try Output.json(RemoteRow(made)) }
      return print("\(into) answers with version \(made.version ?? 0) now")
    }
    let owned = try name?.owned(by: tenant)
    let owner = owned?.tenant ?? tenant ?? .default
    let made = try await client.importArchive(
      archive, name: owned?.name.text, tenant: owner == .default ? nil : owner.text)
    if options.json {
      try Output.json(RemoteRow(made))
    } else {
      print("\(made.id): \(made.task) on base \(made.base)")
    }
  }
}
