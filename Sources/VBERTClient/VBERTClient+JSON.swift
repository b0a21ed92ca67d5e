internal import Foundation
internal import Synchronization

extension VBERTClient {
  private static let longestAnswer = 256 << 20

  func get<Value: Decodable>(
    _ path: String, _ query: [(String, String?)] = []
  ) async throws -> Value {
    try await answer(.init(path: Self.path(path, query)))
  }

  func post<Value: Decodable>(
    _ path: String, _ body: some Encodable
  ) async throws -> Value {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    let bytes = [UInt8](try encoder.encode(body))
    return try await answer(
      .init(
        method: "POST", path: path, headers: [("content-type", "application/json")],
        body: [.bytes(bytes)]))
  }

  func delete<Value: Decodable>(
    _ path: String, _ query: [(String, String?)] = []
  ) async throws -> Value {
    try await answer(.init(method: "DELETE", path: Self.path(path, query)))
  }

  func answer<Value: Decodable>(_ request: Transport.Request) async throws -> Value {
    let bytes = try await bytes(request)
    let decoder = JSONDecoder()
    decoder.dateDecodingStrategy = .secondsSince1970
    do { return try decoder.decode(Value.self, from: Data(bytes)) } catch {
      throw VBERTClientError.answer("\(error)")
    }
  }

  /// The answer's bytes; asks again where the server says to come back.
  func bytes(_ request: Transport.Request) async throws -> [UInt8] {
    var tries = 0
    while true {
      let body = Mutex<[UInt8]>([])
      do {
        try await hear(request) { bytes in
          let count = body.withLock { body in
            body += bytes
            return body.count
          }
          if count > Self.longestAnswer { throw VBERTClientError.answer("it is too long") }
        }
        return body.withLock { $0 }
      } catch VBERTClientError.status(let status, let words, let seconds?)
        where [429, 503].contains(status)
      {
        guard tries < retries else {
          throw VBERTClientError.status(status, words, retryAfter: seconds)
        }
        tries += 1
        try await Task.sleep(for: .seconds(seconds))
      }
    }
  }

  /// Tells the bytes of an answer that is none of an error. Throws `VBERTClientError.status` for one that is.
  func hear(
    _ request: Transport.Request, _ body: @escaping @Sendable ([UInt8]) async throws -> Void
  ) async throws {
    var request = request
    if let key { request.headers.append(("authorization", "Bearer \(key)")) }
    request.headers.append(("user-agent", "vbert-client"))
    let failed = Mutex<(head: Transport.Head, bytes: [UInt8])?>(nil)
    try await transport.send(request, timeout: timeout) { head, bytes in
      if 200..<300 ~= head.status { return try await body(bytes) }
      failed.withLock { failed in
        failed = failed ?? (head, [])
        if (failed?.bytes.count ?? 0) < 1 << 16 { failed?.bytes += bytes }
      }
    }
    if let (head, bytes) = failed.withLock({ $0 }) {
      throw VBERTClientError.status(
        head.status, Self.words(bytes) ?? "the server answers \(head.status)",
        retryAfter: head.retryAfter)
    }
  }

  /// Of an error in either shape that the server's routes have.
  private static func words(_ bytes: [UInt8]) -> String? {
    struct Flat: Decodable { let error: String }
    struct Deep: Decodable {
      struct Problem: Decodable { let message: String }
      let error: Problem
    }
    let data = Data(bytes)
    return (try? JSONDecoder().decode(Deep.self, from: data))?.error.message
      ?? (try? JSONDecoder().decode(Flat.self, from: data))?.error
  }

  /// A part of a path, whatever it holds.
  static func part(_ text: String) -> String {
    var allowed = CharacterSet.alphanumerics
    allowed.insert(charactersIn: "-._~@")
    return text.addingPercentEncoding(withAllowedCharacters: allowed) ?? text
  }

  static func path(_ path: String, _ query: [(String, String?)]) -> String {
    let pairs = query.compactMap { name, value in value.map { "\(name)=\(part($0))" } }
    return pairs.isEmpty ? path : path + "?" + pairs.joined(separator: "&")
  }
}
