import Foundation
import Testing

@testable import Files
@testable import Manager

/// What killed programs left goes at the next start; what is alive, and what is not ours, stays.
struct HomeLeftoversTests {
  let directory: TemporaryDirectory
  let home: Home

  init() throws {
    directory = try TemporaryDirectory()
    home = Home(option: directory.url.path(percentEncoded: false))
    try home.create()
  }

  private func make(_ path: String, directory isDirectory: Bool = false) throws -> URL {
    let url = home.root.appending(path: path)
    let parent = isDirectory ? url : url.deletingLastPathComponent()
    try FileManager.default.createDirectory(at: parent, withIntermediateDirectories: true)
    if !isDirectory { try Data([1]).write(to: url) }
    return url
  }

  @Test func theDeadGoAndTheLivingStay() throws {
    let tmp = Leftover.prefix
    let dead = try [
      make("locks/job-1"), make("bases/.staging-1/config.json").deletingLastPathComponent(),
      make(tmp + "1"), make("bases/\(tmp)1"), make("bases/minilm/\(tmp)1"),
      make("bases/minilm/plot/\(tmp)1"), make("adapters/\(tmp)1"), make("unpublished/\(tmp)1"),
      make("distill/\(tmp)1"), make("unpublished/\(tmp)2", directory: true),
    ]
    let outside = try make("outside")
    let link = home.bases.appending(path: tmp + "link")
    try FileManager.default.createSymbolicLink(at: link, withDestinationURL: outside)
    let kept = try [
      make("locks/registry"), make("bases/minilm/base.json"),
      make("bases/minilm/plot/general.plot"),
      make("unpublished/mood-1", directory: true), make("vbert-tmp"), make("bases/x.vbert-tmp-1"),
    ]
    var held = try home.lock("job-2")
    let file = try AtomicFile(
      replacing: home.bases.appending(path: "minilm/plot/bio.plot").path(percentEncoded: false))
    let young = try make("unpublished/\(tmp)3", directory: true)

    let tomorrow = Date().addingTimeInterval(2 * 24 * 3600)
    try FileManager.default.setAttributes(
      [.modificationDate: tomorrow], ofItemAtPath: young.path(percentEncoded: false))
    #expect(home.sweepLeftovers(now: tomorrow) == dead.count)
    for url in dead { #expect(FileKind(url) == .missing, "\(url.lastPathComponent)") }
    for url in kept + [outside, young] { #expect(FileKind(url) != .missing, "\(url)") }
    #expect(FileKind(link) == .link)
    #expect(FileKind(home.locks.appending(path: "job-2")) == .file)
    #expect(held != nil)
    held = nil
    // Whoever was writing has not noticed anything.
    try file.commit()
    #expect(FileKind(home.bases.appending(path: "minilm/plot/bio.plot")) == .file)
    #expect(home.sweepLeftovers() == 1)
  }

  @Test func basesInPreparationStay() throws {
    let staging = try make("bases/.staging-1", directory: true)
    let lock = try #require(try home.lock(BaseStore.lockName))
    #expect(home.sweepLeftovers() == 0 && FileKind(staging) == .directory)
    withExtendedLifetime(lock) {}
  }
}
