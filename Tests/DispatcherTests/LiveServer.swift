import Foundation
import Glibc
import Hummingbird
import HummingbirdTesting
import Scheduler
import ServingSupport
import Testing

@testable import Dispatcher

/// A server on a port of its own, for tests that care about bytes.
enum LiveServer {
  static func serve(
    _ body: @escaping @Sendable (TinyServer, StubbornSource, Int) async throws -> Void
  )
    async throws
  {
    let home = try TinyHome()
    try home.addAll()
    let source = StubbornSource(home)
    let server = try await TinyServer(adapters: source, home: home)
    server.pipeline.start()
    let app = Application(
      router: server.dispatcher.router(),
      server: GuardedHTTP1.builder(PeerLimits(), House(seats: 64, reserved: 0)),
      configuration: .init(address: .hostname("127.0.0.1", port: 0)))
    try await app.test(.live) { client in
      try await body(server, source, try #require(client.port))
    }
    source.mood = .well
    await server.pipeline.stop()
  }
}

/// A blocking socket, 120 s at most.
final class Socket: Sendable {
  private let descriptor: Int32

  init(port: Int) throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let result = unsafe withUnsafePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe connect(descriptor, $0, size)
      }
    }
    var limit = timeval(tv_sec: 120, tv_usec: 0)
    unsafe setsockopt(
      descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    guard result == 0 else { throw CocoaError(.fileReadUnknown) }
  }

  func sending(_ text: String) throws -> Socket {
    let bytes = Array(text.utf8)
    let sent = unsafe bytes.withUnsafeBytes {
      unsafe send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
    }
    guard sent == bytes.count else { throw CocoaError(.fileWriteUnknown) }
    return self
  }

  func endSending() { shutdown(descriptor, Int32(SHUT_WR)) }
  func close() { Glibc.close(descriptor) }

  /// What comes first.
  func readSome() throws -> String {
    var piece = [UInt8](repeating: 0, count: 65536)
    let count = unsafe piece.withUnsafeMutableBytes {
      unsafe recv(descriptor, $0.baseAddress, $0.count, 0)
    }
    guard count > 0 else { throw CocoaError(.fileReadUnknown) }
    return String(decoding: piece[..<count], as: UTF8.self)
  }

  /// Until the other side ends.
  func readAll() throws -> String {
    var all: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 65536)
    while true {
      let count = unsafe piece.withUnsafeMutableBytes {
        unsafe recv(descriptor, $0.baseAddress, $0.count, 0)
      }
      guard count >= 0 else { throw CocoaError(.fileReadUnknown) }
      if count == 0 { break }
      all += piece[..<count]
    }
    close()
    return String(decoding: all, as: UTF8.self)
  }
}

/// Runs what blocks on a thread of its own: those of tasks are as many as cores, and the server needs them.
func onThread<Value: Sendable>(
  _ body: @escaping @Sendable () throws -> Value
) async throws -> Value {
  try await withCheckedThrowingContinuation { continuation in
    Thread { continuation.resume(with: Result(catching: body)) }.start()
  }
}
