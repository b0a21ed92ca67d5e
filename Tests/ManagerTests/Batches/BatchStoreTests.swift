import Foundation
import Manager
import Model
import Testing

/// Batches of a registry, whatever keeps it.
@Suite struct BatchStoreTests {
  private let temporary = TemporaryHome()

  private func file(_ tenant: Name = .default, _ purpose: FilePurpose = .batch) -> FileRecord {
    FileRecord(
      id: PublicID.make("file"), tenant: tenant, name: "in.jsonl", purpose: purpose, byteCount: 10,
      report: RowsReport(task: nil, rows: 3, endpoint: "/embed"),
      created: Date(timeIntervalSince1970: 1000))
  }

  private func begin(
    _ registry: any RegistryStore, _ tenant: Name = .default
  ) async throws -> BatchRecord {
    let file = file(tenant)
    try await registry.create(file: file)
    return try await registry.create(
      NewBatch(tenant: tenant, endpoint: "/embed", input: file.id, metadata: ["Key": "ä"]))
  }

  @Test(arguments: RegistryStoreKind.all)
  func aBatchHasAnInputOfItsTenant(kind: RegistryStoreKind) async throws {
    let registry = try kind.open(temporary.home)
    _ = try await registry.createTenant("acme")
    let (rows, others) = (file(.default, .fineTune), file("acme"))
    try await registry.create(file: rows)
    try await registry.create(file: others)
    for id in [rows.id, others.id, PublicID.make("file")] {
      await #expect(throws: RegistryError.noFile(id)) {
        try await registry.create(NewBatch(tenant: .default, endpoint: "/embed", input: id))
      }
    }
    let batch = try await begin(registry)
    #expect(batch.state == .validating && batch.progress == BatchProgress(total: 3))
    #expect(batch.metadata == ["Key": "ä"])
    #expect(try await registry.batch(batch.id, of: nil) == batch)
    #expect(try await registry.batch(batch.id, of: "acme") == nil)
    #expect(try await registry.batches(of: "acme", after: nil, limit: 9).isEmpty)
    #expect(try await registry.batches(of: nil, after: nil, limit: 9) == [batch])
    #expect(try await registry.batches(of: nil, after: batch.id, limit: 9).isEmpty)
    await #expect(throws: RegistryError.fileInUse(batch.input, by: batch.id)) {
      try await registry.delete(file: batch.input, of: nil)
    }
    await #expect(throws: RegistryError.noBatch(batch.id)) {
      try await registry.cancel(batch: batch.id, of: "acme")
    }
  }

  /// Who has waited longest is next; what is over stays so, and what grows is nobody's leftover.
  @Test(arguments: RegistryStoreKind.all)
  func batchesTakeTurnsUntilTheyAreOver(kind: RegistryStoreKind) async throws {
    let registry = try kind.open(temporary.home)
    #expect(try await registry.nextBatch() == nil)
    _ = try await registry.createTenant("acme")
    let (first, second) = (try await begin(registry), try await begin(registry, "acme"))
    var turns: [String] = []
    for _ in 0..<4 { turns.append(try #require(try await registry.nextBatch()).id) }
    #expect(turns == [first.id, second.id, first.id, second.id])
    #expect(try await registry.batch(first.id, of: nil)?.state == .inProgress)
    #expect(
      try await registry.known(files: [first.output, second.errors]) == [
        first.output, second.errors,
      ])
    let part = BatchProgress(total: 3, completed: 1, failed: 1, output: 20, errors: 30)
    #expect(try await registry.note(part, of: first.number) == .inProgress)
    #expect(try await registry.batch(first.id, of: nil)?.progress == part)
    let cancelling = try await registry.cancel(batch: first.id, of: nil)
    #expect(cancelling.state == .cancelling && cancelling.cancelling != nil)
    #expect(try await registry.note(part, of: first.number) == .cancelling)
    let output = FileRecord(
      id: first.output, tenant: .default, name: "out", purpose: .batchOutput, byteCount: 20,
      report: RowsReport(task: nil, rows: 1, endpoint: "/embed"), created: .now)
    try await registry.end(
      batch: first.number, as: .cancelled, error: nil, part, files: [output])
    // Whoever says so again changes nothing.
    try await registry.end(
      batch: first.number, as: .failed, error: "no", BatchProgress(total: 0), files: [output])
    let over = try #require(try await registry.batch(first.id, of: nil))
    #expect(over.state == .cancelled && over.error == nil && over.progress == part)
    #expect(try await registry.known(files: [first.output, first.errors]) == [first.output])
    await #expect(throws: RegistryError.batchIsOver(first.id, state: "cancelled")) {
      try await registry.cancel(batch: first.id, of: nil)
    }
    try await registry.delete(file: first.input, of: nil)
    #expect(try await registry.nextBatch()?.id == second.id)
    try await registry.deleteTenant("acme", vberts: true)
    #expect(try await registry.note(part, of: second.number) == .cancelled)
    #expect(try await registry.nextBatch() == nil)
  }
}
