import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Manager
import Model
import Scheduler
import ServingSupport

@testable import Dispatcher

/// The whole server without a socket, on the tiny base.
final class TinyServer: Sendable {
  let home: TinyHome
  let pipeline: Pipeline
  let dispatcher: Dispatcher

  init(
    limits: ServerLimits = ServerLimits(), queue: Int = 1000, adapters: (any AdapterSource)? = nil,
    home: TinyHome? = nil
  ) async throws {
    let given = home
    let home = try given ?? TinyHome()
    if given == nil { try home.addAll() }
    self.home = home
    let metrics = PrometheusMetrics()
    pipeline = try home.pipeline(queue: queue, adapters: adapters, metrics: metrics)
    dispatcher = try await Dispatcher(
      store: home.store, bases: home.bases, pipeline: pipeline, cache: home.cache,
      rules: TinyRules(), limits: limits,
      about: ServerInfo(
        version: "0", device: "cpu", plotMode: .exact, tokenBudget: 512, maxSequences: 64,
        queue: queue),
      metrics: metrics)
  }

  /// Runs `body` against the routes, the pipeline running.
  func test(_ body: @escaping @Sendable (Client) async throws -> Void) async throws {
    pipeline.start()
    let app = Application(router: dispatcher.router())
    do {
      try await app.test(.router) { try await body(Client(client: $0)) }
    } catch {
      await pipeline.stop()
      throw error
    }
    await pipeline.stop()
  }
}

/// Answers as a test wants to look at them.
struct Client: Sendable {
  let client: any TestClientProtocol

  struct Answer: Sendable {
    let status: Int
    let headers: HTTPFields
    let bytes: [UInt8]

    var text: String { String(decoding: bytes, as: UTF8.self) }
    var json: Any? {
      try? JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)
    }
    var object: [String: Any] { json as? [String: Any] ?? [:] }
    var list: [Any] { json as? [Any] ?? [] }
    var objects: [[String: Any]] { json as? [[String: Any]] ?? [] }
    func header(_ name: String) -> String? { HTTPField.Name(name).flatMap { headers[$0] } }
  }

  func send(
    _ method: HTTPRequest.Method, _ path: String, _ body: [UInt8]? = nil,
    _ fields: [String: String] = [:], key: String? = nil
  ) async throws -> Answer {
    var headers = HTTPFields()
    for (name, value) in fields { HTTPField.Name(name).map { headers[$0] = value } }
    if let key { headers[.authorization] = "Bearer \(key)" }
    return try await client.execute(
      uri: path, method: method, headers: headers, body: body.map { ByteBuffer(bytes: $0) }
    ) { response in
      Answer(
        status: response.status.code, headers: response.headers,
        bytes: Array(response.body.readableBytesView))
    }
  }

  func get(_ path: String, key: String? = nil) async throws -> Answer {
    try await send(.get, path, key: key)
  }
  func post(_ path: String, _ body: String, key: String? = nil) async throws -> Answer {
    try await send(.post, path, Array(body.utf8), key: key)
  }
}

func numbers(_ value: Any?) -> [Double] {
  (value as? [Any])?.compactMap { ($0 as? NSNumber)?.doubleValue } ?? []
}

/// Of a file the first row counts: what the trainer says of rows is tested where it says it.
struct TinyRules: TrainingRules {
  struct Problem: Error, CustomStringConvertible { let description: String }

  func report(rows path: String) throws -> RowsReport {
    let text = try String(contentsOfFile: path, encoding: .utf8)
    guard text.hasPrefix("{") else { throw Problem(description: "line 1: not a JSON object") }
    let lines = text.split(separator: "\n").count
    return RowsReport(
      task: .classify, rows: lines, input: .text, labels: ["A b": lines], labelCount: 1)
  }

  func isProblemOfRows(_ error: any Error) -> Bool { error is Problem }

  func check(_ wish: FineTuningWish, _ spec: VBertSpec, _ rows: RowsReport) throws {
    guard spec.task == rows.task else { throw Problem(description: "its rows are for others") }
    if wish.epochs == 0 { throw Problem(description: "epochs must be 1 to 1000") }
  }
}
