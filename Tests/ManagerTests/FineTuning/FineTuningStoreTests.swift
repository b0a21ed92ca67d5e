import Foundation
import Manager
import Model
import Testing

/// Files and fine-tunings of a registry, whatever keeps it.
@Suite struct FineTuningStoreTests {
  let temporary = TemporaryHome()

  private func file(_ tenant: Name = .default, bytes: Int = 10) -> FileRecord {
    FileRecord(
      id: PublicID.make("file"), tenant: tenant, name: "train.jsonl", purpose: .fineTune,
      byteCount: bytes, report: RowsReport(task: .classify, rows: 3, labels: ["a": 3]),
      created: Date(timeIntervalSince1970: 1000))
  }

  /// A file and a vBERT, and so many trainings of it in the queue.
  private func queue(
    _ count: Int, _ registry: any RegistryStore, _ name: VBertName
  ) async throws -> [FineTuningRecord] {
    let file = file(name.tenant)
    try await registry.create(file: file)
    if try await registry.find(name) == nil {
      try await registry.create(vbert: name, spec: .example())
    }
    var made: [FineTuningRecord] = []
    for _ in 0..<count {
      made.append(
        try await registry.create(
          NewFineTuning(name, model: name.name.text, wish: FineTuningWish(trainingFile: file.id))))
    }
    return made
  }

  @Test(arguments: RegistryStoreKind.all)
  func filesAreTheirTenants(kind: RegistryStoreKind) async throws {
    let registry = try kind.open(temporary.home)
    _ = try await registry.createTenant(
      "acme", processor: VirtualProcessor(weight: 1, limits: .init(bytes: 25)))
    let (mine, other) = (file("acme"), file())
    try await registry.create(file: mine)
    try await registry.create(file: other)
    #expect(try await registry.file(mine.id, of: "acme") == mine)
    #expect(try await registry.file(other.id, of: "acme") == nil)
    #expect(try await registry.file(other.id, of: nil) == other)
    #expect(
      try await registry.files(of: nil, for: nil, after: nil, limit: 9).map(\.id) == [
        other.id, mine.id,
      ])
    #expect(try await registry.files(of: nil, for: nil, after: other.id, limit: 9) == [mine])
    #expect(try await registry.files(of: "acme", for: nil, after: nil, limit: 9) == [mine])
    await #expect(
      throws: RegistryError.overQuota(tenant: "acme", limit: "stored bytes up to", most: 25)
    ) { try await registry.create(file: file("acme", bytes: 16)) }
    await #expect(throws: RegistryError.noFile(other.id)) {
      try await registry.delete(file: other.id, of: "acme")
    }
    try await registry.delete(file: mine.id, of: "acme")
    #expect(try await registry.known(files: [mine.id, other.id]) == [other.id])
  }

  @Test(arguments: RegistryStoreKind.all)
  func aNewVBertAndItsTrainingAreMadeTogether(kind: RegistryStoreKind) async throws {
    let registry = try kind.open(temporary.home)
    let wish = FineTuningWish(trainingFile: PublicID.make("file"))
    await #expect(throws: RegistryError.noFile(wish.trainingFile)) {
      try await registry.create(
        NewFineTuning("new", spec: .example(), model: "tiny", wish: wish))
    }
    #expect(try await registry.find("new") == nil)
    let file = file()
    try await registry.create(file: file)
    var known = FineTuningWish(trainingFile: file.id)
    (known.epochs, known.rate, known.seed) = (3, 0.01, 7)
    let made = try await registry.create(
      NewFineTuning(
        "new", spec: .example(), model: "tiny", wish: known, metadata: ["Key": "ä"]))
    #expect(made.state == .queued && made.wish == known && made.metadata == ["Key": "ä"])
    #expect(try await registry.find("new")?.id == made.vbert)
    #expect(try await registry.fineTuning(made.id, of: .default) == made)
    #expect(try await registry.fineTuning(made.id, of: "acme") == nil)
    await #expect(throws: RegistryError.fileInUse(file.id, by: made.id)) {
      try await registry.delete(file: file.id, of: nil)
    }
    await #expect(throws: RegistryError.vbertExists("new")) {
      try await registry.create(
        NewFineTuning("new", spec: .example(), model: "tiny", wish: known))
    }
  }

  /// Who has queued many does not keep out who queues one; one vBERT is trained once at a time, and nobody has
  /// more at once than he may.
  @Test(arguments: RegistryStoreKind.all)
  func tenantsTakeTurns(kind: RegistryStoreKind) async throws {
    let registry = try kind.open(temporary.home)
    _ = try await registry.createTenant(
      "acme", processor: VirtualProcessor(weight: 1, limits: .init(trainings: 1)))
    let many = try await queue(3, registry, "a")
    let more = try await queue(1, registry, "b")
    let acme = try await queue(1, registry, "acme/c")
    let acmes = try await queue(1, registry, "acme/d")
    let first = try #require(try await registry.claimFineTuning())
    #expect(first.record.id == many[0].id && first.record.state == .running)
    let second = try #require(try await registry.claimFineTuning())
    #expect(second.record.id == acme[0].id)
    let third = try #require(try await registry.claimFineTuning())
    #expect(third.record.id == more[0].id, "a's others wait for a, acme has its one")
    #expect(try await registry.claimFineTuning() == nil)
    #expect(try await registry.isFineTuningQueued())
    try await registry.end(second, as: .failed, error: "no")
    let fourth = try #require(try await registry.claimFineTuning())
    #expect(fourth.record.id == acmes[0].id)
    try await registry.end(first, as: .queued, error: nil)
    try await registry.end(third, as: .cancelled, error: nil)
    let fifth = try #require(try await registry.claimFineTuning())
    #expect(fifth.record.id == many[0].id, "back in its old place")
    #expect(try await registry.fineTuning(acme[0].id, of: nil)?.error == "no")
  }

  @Test(arguments: RegistryStoreKind.all)
  func aPublishedVersionEndsIt(kind: RegistryStoreKind) async throws {
    let registry = try kind.open(temporary.home)
    let made = try await queue(1, registry, "a")[0]
    let claimed = try #require(try await registry.claimFineTuning())
    let vbert = try await registry.vbert("a")
    let job = try await registry.beginJobs(vberts: ["a"], for: [made.number])[0]
    _ = try await registry.publish([
      NextVersion(
        vbert: vbert.id, name: "a", spec: vbert.spec, blob: nil, metrics: ["dev_f1": 0.75],
        note: "by hand", job: job, work: TrainingWork(rows: 7, tokens: 99))
    ])
    var found = try #require(try await registry.fineTuning(made.id, of: nil))
    // Whoever sees that it is over sees all that is told of it.
    let last = try await registry.events(of: made.number, after: 0, limit: 9).last
    #expect(last?.text == "version 1 answers from now on: dev_f1 0.75, by hand")
    #expect(last?.data == ["dev_f1": 0.75] && found.tokens == 99)
    let today = UsageRecord.day(of: .now)
    let used = try await registry.usage(of: .default, days: today - 1...today)
    #expect(used.map(\.trainingRows) == [7])
    #expect(found.state == .succeeded && found.version == 1 && found.finished != nil)
    // Whoever ran it says so, too late to change anything.
    try await registry.end(claimed, as: .failed, error: "no")
    found = try #require(try await registry.fineTuning(made.id, of: nil))
    #expect(found.state == .succeeded && found.error == nil)
    await #expect(throws: RegistryError.fineTuningIsOver(made.id, state: "succeeded")) {
      try await registry.change(fineTuning: made.id, of: nil, .cancel)
    }
  }

  @Test(arguments: RegistryStoreKind.all)
  func itIsPausedResumedAndCancelled(kind: RegistryStoreKind) async throws {
    let registry = try kind.open(temporary.home)
    let id = try await queue(1, registry, "a")[0].id
    func state(_ change: FineTuningChange) async throws -> FineTuningRecord {
      try await registry.change(fineTuning: id, of: nil, change)
    }
    #expect(try await state(.pause).state == .paused)
    #expect(try await registry.claimFineTuning() == nil)
    #expect(try await state(.resume).state == .queued)
    let claimed = try #require(try await registry.claimFineTuning())
    let asked = try await state(.pause)
    #expect(asked.state == .running && asked.asked == .pause)
    #expect(try await state(.resume).asked == nil)
    #expect(try await state(.cancel).asked == .cancel)
    try await registry.end(claimed, as: .cancelled, error: nil)
    let over = try #require(try await registry.fineTuning(id, of: nil))
    #expect(over.state == .cancelled && over.asked == nil && over.finished != nil)
    await #expect(throws: RegistryError.noFineTuning("x")) {
      try await registry.change(fineTuning: "x", of: nil, .cancel)
    }
  }

  @Test(arguments: RegistryStoreKind.all)
  func eventsAreBounded(kind: RegistryStoreKind) async throws {
    let registry = try kind.open(temporary.home)
    let made = try await queue(1, registry, "a")[0]
    let many = (0..<1500).map { FineTuningEvent("\($0)", .warn, data: ["step": Double($0)]) }
    try await registry.note(many, of: made.number, tokens: 42)
    let all = try await registry.events(of: made.number, after: 0, limit: 5000)
    #expect(all.count == 1000 && all.last?.text == "1499" && all.last?.data == ["step": 1499])
    #expect(all.map(\.number) == all.map(\.number).sorted())
    let rest = try await registry.events(of: made.number, after: all[997].number, limit: 9)
    #expect(rest.map(\.text) == ["1498", "1499"])
    #expect(try await registry.fineTuning(made.id, of: nil)?.tokens == 42)
    // Of one that is gone nothing is kept.
    try await registry.note(many, of: 4711, tokens: 1)
    #expect(try await registry.events(of: 4711, after: 0, limit: 9).isEmpty)
  }

  /// One whose process is gone begins again, or ends as it was asked to; after five times it has failed.
  @Test func whatWasInterruptedBeginsAgain() async throws {
    let id = try await queue(1, try Registry(home: temporary.home), "a")[0].id
    for attempt in 1...6 {
      let registry = try Registry(home: temporary.home)
      let before = try #require(try registry.fineTuning(id, of: nil))
      if attempt == 6 {
        #expect(before.state == .failed && before.error?.contains("5 times") == true)
        return
      }
      #expect(before.state == .queued)
      var claimed = try registry.claimFineTuning()
      #expect(claimed?.record.id == id)
      // Its lock goes with the process; the row stays.
      claimed = nil
    }
  }
}

/// The bytes of files.
@Suite struct UploadedFilesTests {
  let temporary = TemporaryHome()

  @Test func aFileIsThereWholeOrNotAtAll() async throws {
    let files = UploadedFiles(temporary.home)
    let id = PublicID.make("file")
    do {
      let upload = try files.begin(id)
      try upload.append(Array("a".utf8))
    }
    #expect(!FileManager.default.fileExists(atPath: files.path(of: id)))
    let upload = try files.begin(id)
    try upload.append(Array("ab".utf8))
    try upload.commit()
    #expect(try String(contentsOfFile: files.path(of: id), encoding: .utf8) == "ab")
    let mode = try FileManager.default.attributesOfItem(atPath: files.path(of: id))
    #expect(mode[.posixPermissions] as? Int == 0o600)
  }

  /// What the registry does not know goes after a week; what is not ours never does.
  @Test func strangersGoAndOthersStay() async throws {
    let files = UploadedFiles(temporary.home)
    let ids = (0..<2).map { _ in PublicID.make("file") }
    for id in ids { try files.begin(id).commit() }
    let folder = URL(filePath: files.path(of: ids[0])).deletingLastPathComponent()
    try Data().write(to: folder.appending(path: "notes.txt"))
    #expect(try await files.sweep { _ in [] } == 0, "too young")
    let later = Date.now + 8 * 86_400
    #expect(try await files.sweep(now: later) { _ in [ids[0]] } == 1)
    let left = try FileManager.default.contentsOfDirectory(atPath: folder.path())
    #expect(left.sorted() == [ids[0], "notes.txt"])
    #expect(
      PublicID.isValid(ids[0], "file") && !PublicID.isValid("file-../../etc/passwd......", "file"))
  }
}
