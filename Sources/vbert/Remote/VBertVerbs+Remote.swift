import ArgumentParser
import Compute
import Foundation
import Model
import VBERTClient

extension CreateCommand: RemoteVerb {
  func run(on client: VBERTClient) async throws {
    let owned = try name.owned(by: tenant)
    var new = NewVBert(name: owned.name.text, task: task.rawValue)
    new.tenant = owned.tenant == .default ? nil : owned.tenant.text
    (new.base, new.domain, new.adapter) = (base, domain, adapter.map { "\($0)" })
    (new.pooling, new.maxLength) = (pooling.map(\.name), maxLength)
    new.labels = labels?.names
    let made = try await client.create(new)
    if options.json { return try Output.json(RemoteRow(made)) }
    print("\(made.id): \(made.task) on base \(made.base), adapter \(made.adapter)")
    print(
      made.version == nil
        ? "train it with: vbert train \(made.id) --data train.jsonl --server ..."
        : "it answers from now on")
  }
}

extension ListCommand: RemoteVerb {
  func run(on client: VBERTClient) async throws {
    var (rows, last) = ([RemoteRow](), after?.name.text)
    while rows.count < limit {
      let page = try await client.vberts(
        prefix: prefix, tenant: tenant?.text, after: last, limit: min(1000, limit - rows.count))
      rows += page.data.map(RemoteRow.init)
      last = page.data.last?.id
      if !page.hasMore { break }
    }
    if options.json {
      try Output.json(rows)
    } else {
      Output.table(VBertRow.titles, rows.map(\.cells))
    }
  }
}

extension VersionsCommand: RemoteVerb {
  func run(on client: VBERTClient) async throws {
    let vbert = try await client.vbert(name.text)
    let rows = (vbert.versions ?? []).map { RemoteVersion(vbert, $0) }
    if options.json {
      try Output.json(rows)
    } else {
      Output.table(VersionRow.titles, rows.map(\.cells))
    }
  }
}

extension RollbackCommand: RemoteVerb {
  func run(on client: VBERTClient) async throws {
    let vbert = try await client.vbert(name.text)
    let current = vbert.version ?? 0
    let number = to ?? vbert.versions?.last { $0.version < current }?.version
    guard let number else { throw RollbackError(name: name, current: current) }
    _ = try await client.rollback(name.text, to: number)
    if options.json {
      try Output.json(["vbert": name.text, "version": "\(number)"])
    } else {
      print("\(name) answers with version \(number) now")
    }
  }
}

extension DeleteCommand: RemoteVerb {
  func run(on client: VBERTClient) async throws {
    try await client.delete(vbert: name.text)
    if options.json { try Output.json(["deleted": name.text]) }
  }
}

extension TenantCommand.Give: RemoteVerb {
  func run(on client: VBERTClient) async throws {
    let given = try await client.give(vbert.text, to: to.text)
    let name = "\(given.tenant)/\(given.id)"
    if options.json { try Output.json(["name": name]) } else { print("it is \(name) now") }
  }
}

/// A vBERT as a server tells it, with the names that the verbs print.
struct RemoteRow: Encodable {
  let name, tenant, task, base: String
  let domain: String?
  let adapter, pooling: String
  /// Not in lists.
  let labels: [String]?
  let labelCount, maxLength: Int
  let dimensions: [Int]?
  let version: Int?
  let created: Date

  init(_ vbert: VBert) {
    (name, tenant, task, base) = (vbert.id, vbert.tenant, vbert.task, vbert.base)
    (domain, adapter, pooling) = (vbert.domain, vbert.adapter, vbert.pooling)
    (labels, labelCount, maxLength) = (vbert.labels, vbert.labelCount, vbert.maxLength)
    (dimensions, version, created) = (vbert.dimensions, vbert.version, vbert.createdAt)
  }

  var cells: [String] {
    [
      name, version.map { "\($0)" } ?? "untrained", task, base, adapter,
      labelCount == 0 ? "-" : "\(labelCount)", tenant,
    ]
  }
}

/// A version as a server tells it.
private struct RemoteVersion: Encodable {
  let vbert: String
  let version: Int
  let current: Bool
  let bytes: Int
  let labels: [String]
  let metrics: [String: Double]
  let note: String
  let created: Date

  init(_ vbert: VBert, _ one: VBert.Version) {
    (self.vbert, version, current) = (vbert.id, one.version, one.version == vbert.version)
    (bytes, labels, metrics) = (one.bytes, one.labels, one.metrics)
    (note, created) = (one.note, one.createdAt)
  }

  var cells: [String] {
    VersionRow.cells(
      version, current: current, created: created, bytes: bytes, metrics: metrics, note: note)
  }
}
