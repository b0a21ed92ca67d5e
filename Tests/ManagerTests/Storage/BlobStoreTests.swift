import Foundation
import Manager
import Model
import Testing

/// What holds for every `BlobStore`.
@Suite struct BlobStoreTests {
  let temporary = TemporaryHome()

  private func open(_ kind: BlobStoreKind) throws -> any BlobStore {
    try temporary.home.create()
    return kind.open(temporary.home)
  }

  /// Some bytes and the key that is made of them.
  private func blob(_ text: String) -> (key: String, bytes: [UInt8]) {
    let bytes = Array(text.utf8)
    return (BlobKey.of(bytes), bytes)
  }

  @Test func aKeyComesFromTheContent() {
    // SHA-256("abc") as FIPS 180-2 has it.
    #expect(blob("abc").key == "ba7816bf8f01cfea414140de5dae2223")
    #expect(blob("abc").key != blob("abd").key && BlobKey.isValid(blob("").key))
    let valid = blob("abc").key
    for other in ["", "abc", valid + "0", valid.uppercased(), "../" + valid.dropFirst(3)] {
      #expect(!BlobKey.isValid(other), "\(other)")
    }
  }

  @Test(arguments: BlobStoreKind.all) func whatIsPutIsThereWhole(kind: BlobStoreKind) async throws {
    let blobs = try open(kind)
    for text in ["", "a", String(repeating: "0123456789", count: 100_000)] {
      let (key, bytes) = blob(text)
      #expect(try await blobs.get(key) == nil)
      #expect(try await blobs.size(of: key) == nil)
      for _ in 0..<2 {
        try await blobs.put(bytes, under: key)
        #expect(try await blobs.get(key) == bytes)
        #expect(try await blobs.size(of: key) == bytes.count)
      }
      // Another process's.
      #expect(try await kind.open(temporary.home).get(key) == bytes)
      #expect(blobs.place(of: key).contains(key))
    }
    #expect(try await blobs.list(prefix: "").count == 3)
  }

  @Test(arguments: BlobStoreKind.all) func aRangeIsWhatIsThereOfIt(kind: BlobStoreKind) async throws
  {
    let blobs = try open(kind)
    let (key, bytes) = blob("0123456789")
    #expect(try await blobs.get(key, range: 0..<4) == nil)
    try await blobs.put(bytes, under: key)
    for range in [0..<10, 0..<0, 2..<5, 9..<10, 8..<100, 10..<12, 50..<60] {
      let expected = range.filter { $0 < 10 }.map { bytes[$0] }
      #expect(try await blobs.get(key, range: range) == expected, "\(range)")
    }
  }

  @Test(arguments: BlobStoreKind.all) func keysAreListedAndRemoved(kind: BlobStoreKind) async throws
  {
    let blobs = try open(kind)
    let all = (0..<40).map { blob("blob \($0)") }
    for (key, bytes) in all { try await blobs.put(bytes, under: key) }
    let keys = all.map(\.key).sorted()
    #expect(try await blobs.list(prefix: "") == keys)
    for prefix in [String(keys[7].prefix(1)), String(keys[7].prefix(2)), String(keys[7].prefix(9))]
    {
      #expect(
        try await blobs.list(prefix: prefix) == keys.filter { $0.hasPrefix(prefix) }, "\(prefix)")
    }
    #expect(try await blobs.list(prefix: "zz").isEmpty)
    for _ in 0..<2 { try await blobs.remove(keys[7]) }
    #expect(try await blobs.get(keys[7]) == nil)
    #expect(try await blobs.size(of: keys[7]) == nil)
    #expect(try await blobs.list(prefix: "") == keys.filter { $0 != keys[7] })
  }

  @Test(arguments: BlobStoreKind.all) func aNameThatIsNoKeyIsNobodys(kind: BlobStoreKind)
    async throws
  {
    let blobs = try open(kind)
    for name in ["", "../../registry", "a/b", String(repeating: "A", count: 32)] {
      await #expect(throws: BlobError.self) { try await blobs.put([1], under: name) }
      #expect(try await blobs.get(name) == nil)
      #expect(try await blobs.size(of: name) == nil)
      #expect(await !blobs.recover(name))
      try await blobs.remove(name)
    }
    #expect(try await blobs.list(prefix: "").isEmpty)
  }

  @Test(arguments: BlobStoreKind.all) func whatNobodyKnowsIsPutAside(kind: BlobStoreKind)
    async throws
  {
    let blobs = try open(kind)
    let (kept, lost, back) = (blob("kept"), blob("lost"), blob("back"))
    for (key, bytes) in [kept, lost, back] { try await blobs.put(bytes, under: key) }
    let day = 24 * 3600
    let start = Date(timeIntervalSince1970: 1_800_000_000)
    func sweep(_ names: Set<String>, after days: Int) async throws -> OrphanReport {
      try await OrphanReport.ofAll {
        try await blobs.sweep(age: 7 * day, now: start + Double(days * day)) { prefix in
          names.filter { $0.hasPrefix(prefix) }
        }
      }
    }
    #expect(try await sweep([kept.key], after: 0).quarantinedFiles == 2)
    #expect(try await blobs.list(prefix: "") == [kept.key])
    #expect(try await blobs.get(lost.key) == nil)
    // Asked for after all, or known again: it comes back.
    #expect(await blobs.recover(back.key))
    #expect(await !blobs.recover(back.key), "it is in its place")
    #expect(try await blobs.get(back.key) == back.bytes)
    #expect(try await sweep([kept.key], after: 1).quarantinedFiles == 1)
    #expect(try await sweep([kept.key, back.key], after: 2).restoredFiles == 1)
    #expect(try await blobs.get(back.key) == back.bytes)
    // Not yet; then for good.
    #expect(try await sweep([kept.key, back.key], after: 6) == OrphanReport())
    let last = try await sweep([kept.key, back.key], after: 8)
    #expect(last.removedFiles == 1 && last.removedBytes == lost.bytes.count)
    #expect(await !blobs.recover(lost.key))
    #expect(try await sweep([kept.key, back.key, lost.key], after: 9).missing == [lost.key])
    #expect(try await blobs.list(prefix: "") == [kept.key, back.key].sorted())
  }

  @Test(arguments: BlobStoreKind.all) func aHoldKeepsSweepsAway(kind: BlobStoreKind) async throws {
    let blobs = try open(kind)
    let (key, bytes) = blob("not named yet")
    do {
      let hold = try #require(try await blobs.hold(wait: true))
      // Publishers do not keep each other away.
      let other = try await kind.open(temporary.home).hold(wait: false)
      #expect(other != nil)
      try await blobs.put(bytes, under: key)
      let report = try await blobs.sweep(age: 0, now: Date()) { _ in [] }
      #expect(report.quarantinedFiles == 0 && report.skippedShards > 0)
      #expect(try await blobs.get(key) == bytes)
      withExtendedLifetime((hold, other)) {}
    }
    // A program that another test starts holds all locks for an instant, until it is itself.
    var taken = 0
    for _ in 0..<1000 where taken == 0 {
      taken = try await blobs.sweep(age: 1 << 30, now: Date()) { _ in [] }.quarantinedFiles
    }
    #expect(taken == 1)
    #expect(try await blobs.get(key) == nil)
  }

  @Test(arguments: BlobStoreKind.all) func aSweepStopsWhereNobodyKnows(kind: BlobStoreKind)
    async throws
  {
    let blobs = try open(kind)
    let (key, bytes) = blob("kept")
    try await blobs.put(bytes, under: key)
    await #expect(throws: RegistryError.busy(path: "it")) {
      try await blobs.sweep(age: 0, now: Date()) { _ throws(RegistryError) in
        throw .busy(path: "it")
      }
    }
    #expect(try await blobs.get(key) == bytes)
  }

  /// Who reads while others put and remove finds all of it or nothing.
  @Test(arguments: BlobStoreKind.all) func nobodySeesHalfABlob(kind: BlobStoreKind) async throws {
    let blobs = try open(kind)
    let all = (0..<4).map { blob(String(repeating: "\($0)", count: 200_000)) }
    let wrong = try await withThrowingTaskGroup(of: Int.self) { group in
      for (key, bytes) in all {
        group.addTask {
          for round in 0..<15 {
            try await blobs.put(bytes, under: key)
            if round % 3 == 2 { try await blobs.remove(key) }
          }
          try await blobs.put(bytes, under: key)
          return 0
        }
        group.addTask {
          var wrong = 0
          for _ in 0..<30 {
            if let found = try await blobs.get(key), found != bytes { wrong += 1 }
          }
          return wrong
        }
      }
      return try await group.reduce(0, +)
    }
    #expect(wrong == 0)
    for (key, bytes) in all { #expect(try await blobs.get(key) == bytes) }
  }
}
