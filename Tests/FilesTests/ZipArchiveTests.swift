import Files
import Foundation
import TestSupport
import Testing

private let fixtures = Resources.packageRoot.appending(path: "Tests/FilesTests/Fixtures")

@Suite struct ZipArchiveTests {
  private func text(_ archive: ZipArchive, _ name: String) throws -> String {
    let entry = try #require(archive.entry(name))
    return String(decoding: try archive.bytes(of: entry, limit: 1 << 20), as: UTF8.self)
  }

  @Test func readsPythonsArchives() throws {
    let lines = (1...1000).map { "line \($0) " + String(repeating: "é", count: $0 % 7) + "\n" }
      .joined()
    let small = try ZipArchive(path: fixtures.appending(path: "small.zip").path())
    #expect(
      small.entries.map(\.name) == ["folder/stored.txt", "folder/deflated.txt", "empty", "é.txt"])
    #expect(try text(small, "folder/stored.txt") == "stored\n")
    #expect(try text(small, "folder/deflated.txt") == lines)
    #expect(try text(small, "empty") == "")
    #expect(small.entry("folder/") == nil)
    let streamed = try ZipArchive(path: fixtures.appending(path: "streamed.zip").path())
    let b = try streamed.bytes(of: try #require(streamed.entry("b.txt")), limit: 2000)
    #expect(b == Array(lines.utf8.prefix(2000)))

    let target = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: target) }
    try small.extract(try #require(small.entry("folder/deflated.txt")), to: target.path())
    #expect(try String(contentsOf: target, encoding: .utf8) == lines)
    #expect(ZipArchive.isZip(path: fixtures.appending(path: "small.zip").path()))
    #expect(!ZipArchive.isZip(path: fixtures.appending(path: "lines.txt.gz").path()))
  }

  @Test(arguments: [
    "../a", "/a", "a/../b", "a//b", "./a", "a/.", "..", "a\\b", "a\nb", "a\u{0}", "", "/",
  ])
  func refusesNamesThatLeave(_ name: String) throws {
    var zip = HandmadeZip()
    zip.add(name, [1])
    let file = try TemporaryFile(zip.finished())
    #expect(
      throws: ArchiveError.corrupt(path: file.path, what: "it has an entry with an unsafe name")
    ) { try ZipArchive(path: file.path) }
  }

  @Test func refusesLies() throws {
    func open(_ make: (inout HandmadeZip) -> [UInt8]) throws -> ZipArchive {
      var zip = HandmadeZip()
      let file = try TemporaryFile(make(&zip))
      return try ZipArchive(path: file.path)
    }
    func isRefused(_ make: (inout HandmadeZip) -> [UInt8]) -> Bool {
      do {
        _ = try open(make)
        return false
      } catch { return error is ArchiveError }
    }
    #expect(
      try open {
        $0.add("a", [1, 2]); return $0.finished()
      }.entries.count == 1)
    #expect(try open { $0.finished() }.entries.isEmpty)
    #expect(isRefused { _ in [] })
    #expect(isRefused { _ in Array(repeating: 0, count: 100) })
    #expect(
      isRefused {
        $0.add("a", [1]); $0.add("a", [2]); return $0.finished()
      }, "same name")
    #expect(
      isRefused {
        $0.add("a", [1], size: 1000); return $0.finished()
      }, "too long")
    #expect(
      isRefused {
        $0.add("a", [1], offset: 5); return $0.finished()
      }, "elsewhere")
    #expect(
      isRefused {
        $0.add("a", [1], offset: 1 << 31); return $0.finished()
      }, "outside")
    #expect(
      isRefused {
        $0.add("a", [1]); $0.add("b", [1], offset: 0); return $0.finished()
      })
    #expect(
      isRefused {
        $0.add("a", [1], method: 12); return $0.finished()
      }, "bzip2")
    #expect(
      isRefused {
        $0.add("a", [1]); return $0.finished(count: 2)
      })
    #expect(
      isRefused {
        $0.add("a", [1]); return $0.finished(count: 0)
      })
    #expect(
      isRefused {
        $0.add("a", [1]); return $0.finished(count: 0xFFFF)
      }, "zip64")
    #expect(
      isRefused {
        $0.add("a", [1]); return $0.finished(disk: 1)
      }, "several parts")
    #expect(
      isRefused {
        $0.add("a", [1], size: 0xFFFF_FFFF); return $0.finished()
      }, "zip64")

    var zip = HandmadeZip()
    zip.add("wrong", [1, 2, 3], crc: 7)
    zip.add("secret", [1], flags: 1)
    zip.add("noise", [0xFF, 0xFF, 0xFF], method: 8)
    let file = try TemporaryFile(zip.finished())
    let archive = try ZipArchive(path: file.path)
    for entry in archive.entries {
      #expect(throws: ArchiveError.self, "\(entry.name)") {
        try archive.bytes(of: entry, limit: 100)
      }
    }
    let big = try #require(archive.entry("wrong"))
    #expect(
      throws: ArchiveError.entryTooLarge(path: file.path, name: "wrong", bytes: 3, limit: 2)
    ) { try archive.bytes(of: big, limit: 2) }
  }

  @Test func fuzzedArchivesNeverTrap() throws {
    let originals = try ["small.zip", "streamed.zip"].map {
      [UInt8](try Data(contentsOf: fixtures.appending(path: $0)))
    }
    try Fuzz.run { generator, _ in
      for original in originals {
        var bytes = original
        generator.mutate(&bytes)
        let file = try TemporaryFile(bytes)
        guard let archive = try? ZipArchive(path: file.path) else { continue }
        for entry in archive.entries {
          if let data = try? archive.bytes(of: entry, limit: 1 << 20) {
            #expect(data.count == entry.byteCount)
          }
        }
      }
    }
  }
}
