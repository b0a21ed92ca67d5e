import AsyncHTTPClient
import Foundation
import Glibc
import NIOCore
import NIOHTTP1

/// A running `vbert serve`, asked through a real HTTP client. Unchecked: requests go out from many
/// tasks, but only the test's own task touches the process.
final class Server: @unchecked Sendable {
  let process: Process
  private let stderr: URL
  private let base: String
  var url: String { base }

  struct Reply {
    var status: Int
    var headers: [String: String]
    var body: Data

    var json: Any {
      get throws { try JSONSerialization.jsonObject(with: body, options: .fragmentsAllowed) }
    }
  }

  /// Starts the server and waits until it is healthy.
  init(_ vbert: VbertProcess, _ arguments: [String] = []) async throws {
    let port = try Self.freePort()
    base = "http://127.0.0.1:\(port)"
    (process, _, stderr) = try vbert.process(["serve", "--port", "\(port)"] + arguments)
    try process.run()
    for _ in 0..<400 {
      if let reply = try? await get("/health"), reply.status == 200 { return }
      guard process.isRunning else { break }
      try await Task.sleep(for: .milliseconds(50))
    }
    let said = try String(contentsOf: stderr, encoding: .utf8)
    process.terminate()
    throw VbertProcess.Failure(description: "the server did not become healthy: \(said)")
  }

  /// What it wrote to its log so far.
  var said: String { get throws { try String(contentsOf: stderr, encoding: .utf8) } }

  deinit { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }

  func get(_ path: String, key: String? = nil) async throws -> Reply {
    try await send(request(path, key))
  }

  private func request(_ path: String, _ key: String?) -> HTTPClientRequest {
    var request = HTTPClientRequest(url: base + path)
    if let key { request.headers.add(name: "authorization", value: "Bearer \(key)") }
    return request
  }

  func post(_ path: String, _ body: [String: Any], key: String? = nil) async throws -> Reply {
    var request = request(path, key)
    request.method = .POST
    request.headers.add(name: "content-type", value: "application/json")
    request.body = .bytes(ByteBuffer(bytes: try JSONSerialization.data(withJSONObject: body)))
    return try await send(request)
  }

  /// A file's form, as every client sends it.
  func upload(
    _ bytes: Data, named name: String = "train.jsonl", purpose: String = "fine-tune",
    key: String? = nil
  ) async throws -> Reply {
    var request = request("/v1/files", key)
    request.method = .POST
    request.headers.add(name: "content-type", value: "multipart/form-data; boundary=xYzZy")
    let head = """
      --xYzZy\r\nContent-Disposition: form-data; name="purpose"\r\n\r\n\(purpose)\r
      --xYzZy\r\nContent-Disposition: form-data; name="file"; filename="\(name)"\r
      Content-Type: application/octet-stream\r\n\r\n
      """
    let body = Data(head.utf8) + bytes + Data("\r\n--xYzZy--\r\n".utf8)
    request.body = .bytes(ByteBuffer(bytes: body))
    return try await send(request)
  }

  func delete(_ path: String, key: String? = nil) async throws -> Reply {
    var request = request(path, key)
    request.method = .DELETE
    return try await send(request)
  }

  private func send(_ request: HTTPClientRequest) async throws -> Reply {
    let response = try await HTTPClient.shared.execute(request, timeout: .seconds(60))
    let body = try await response.body.collect(upTo: 16 << 20)
    return Reply(
      status: Int(response.status.code),
      headers: Dictionary(
        response.headers.map { ($0.name.lowercased(), $0.value) }, uniquingKeysWith: { $1 }),
      body: Data(body.readableBytesView))
  }

  /// SIGTERM, and its exit status.
  func stop() -> Int32 {
    process.terminate()
    process.waitUntilExit()
    return process.terminationStatus
  }

  /// A port that was free a moment ago.
  private static func freePort() throws -> UInt16 {
    let (descriptor, port) = try boundPort(listening: false)
    close(descriptor)
    return port
  }

  /// A port that is taken until the descriptor is closed.
  static func boundPort(listening: Bool) throws -> (descriptor: CInt, port: UInt16) {
    let descriptor = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = unsafe inet_addr("127.0.0.1")
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let failed = unsafe withUnsafeMutablePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
        unsafe bind(descriptor, generic, length) != 0 || listening && listen(descriptor, 1) != 0
          || getsockname(descriptor, generic, &length) != 0
      }
    }
    guard descriptor >= 0, !failed else {
      close(descriptor)
      throw VbertProcess.Failure(description: "no free port")
    }
    return (descriptor, UInt16(bigEndian: address.sin_port))
  }
}
