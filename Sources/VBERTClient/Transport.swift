internal import Foundation
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix

/// HTTP/1.1 over SwiftNIO: a connection a request, so that none waits behind another and none is half read.
struct Transport: Sendable {
  let host: String
  let port: Int
  /// Before every path.
  let prefix: String

  struct Request: Sendable {
    var method = "GET"
    var path: String
    var headers: [(String, String)] = []
    /// Pieces of the body, and how many bytes they are together.
    var body: [Piece] = []

    enum Piece: Sendable {
      case bytes([UInt8])
      /// A file of this machine's, of so many bytes.
      case file(path: String, count: Int)

      var count: Int {
        switch self {
        case .bytes(let bytes): bytes.count
        case .file(_, let count): count
        }
      }
    }
  }

  struct Head: Sendable {
    let status: Int
    let retryAfter: Int?
  }

  /// Sends the request and tells the answer, piece by piece, to `hear`. `timeout`: seconds without one. Throws
  /// `VBERTClientError`, and what `hear` throws.
  func send(
    _ request: Request, timeout: Double,
    hear: @escaping @Sendable (Head, [UInt8]) async throws -> Void
  ) async throws {
    let channel: NIOAsyncChannel<HTTPClientResponsePart, HTTPPart<HTTPRequestHead, ByteBuffer>>
    do {
      channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        .connectTimeout(.seconds(10))
        .connect(host: host, port: port) { channel in
          channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHTTPClientHandlers()
            try channel.pipeline.syncOperations.addHandler(
              IdleStateHandler(readTimeout: .milliseconds(Int64(timeout * 1000))))
            try channel.pipeline.syncOperations.addHandler(SilenceHandler())
            try channel.pipeline.syncOperations.addHandler(BodyParts())
            return try NIOAsyncChannel(wrappingChannelSynchronously: channel)
          }
        }
    } catch { throw VBERTClientError.connection("\(host), port \(port): \(Self.words(error))") }
    do {
      try await channel.executeThenClose { answer, body in
        // A server may answer before it has heard all, and take no more.
        async let written: Void = write(request, to: body)
        var (head, isOver) = (Head?.none, false)
        for try await part in answer {
          switch part {
          case .head(let found):
            head = Head(
              status: Int(found.status.code),
              retryAfter: found.headers.first(name: "retry-after").flatMap { Int($0) })
            if let head { try await hear(head, []) }
          case .body(let buffer):
            guard let head else { break }
            try await hear(head, Array(buffer.readableBytesView))
          case .end: isOver = true
          }
          if isOver { break }
        }
        guard isOver else {
          try await written
          throw VBERTClientError.connection("it hung up before its answer was whole")
        }
      }
    } catch let error as VBERTClientError { throw error } catch let error as CancellationError {
      throw error
    } catch is Silence { throw VBERTClientError.timedOut(timeout) } catch let error as IOError {
      throw VBERTClientError.connection(Self.words(error))
    } catch let error as ChannelError {
      throw VBERTClientError.connection(Self.words(error))
    } catch HTTPParserError.invalidEOFState {
      throw VBERTClientError.connection("it hung up before its answer was whole")
    } catch let error as HTTPParserError { throw VBERTClientError.answer("\(error)") }
  }

  private func write(
    _ request: Request,
    to out: NIOAsyncChannelOutboundWriter<HTTPPart<HTTPRequestHead, ByteBuffer>>
  ) async throws {
    var headers = HTTPHeaders([
      ("host", host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)")
    ])
    for (name, value) in request.headers { headers.add(name: name, value: value) }
    headers.add(name: "connection", value: "close")
    if request.method != "GET" {
      headers.add(
        name: "content-length", value: "\(request.body.reduce(0) { $0 + $1.count })")
    }
    try await out.write(
      .head(
        HTTPRequestHead(
          version: .http1_1, method: HTTPMethod(rawValue: request.method),
          uri: prefix + request.path, headers: headers)))
    for piece in request.body {
      switch piece {
      case .bytes(let bytes): try await out.write(.body(ByteBuffer(bytes: bytes)))
      case .file(let path, let count):
        guard let file = FileHandle(forReadingAtPath: path) else {
          throw VBERTClientError.file("\(path) cannot be opened")
        }
        defer { try? file.close() }
        var left = count
        while left > 0 {
          guard let bytes = try file.read(upToCount: min(left, 1 << 18)), !bytes.isEmpty else {
            throw VBERTClientError.file("\(path) became shorter while it was read")
          }
          left -= bytes.count
          try await out.write(.body(ByteBuffer(bytes: bytes)))
        }
      }
    }
    try await out.write(.end(nil))
  }

  private static func words(_ error: any Error) -> String {
    if let error = error as? NIOConnectionError {
      return error.connectionErrors.first.map { words($0.error) } ?? "no address is known of it"
    }
    guard let error = error as? IOError else { return "\(error)" }
    return unsafe String(cString: strerror(error.errnoCode))
  }
}

/// Nothing came for too long.
private struct Silence: Error {}

private final class SilenceHandler: ChannelInboundHandler, Sendable {
  typealias InboundIn = NIOAny
  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if event is IdleStateHandler.IdleStateEvent {
      context.fireErrorCaught(Silence())
      context.close(promise: nil)
    } else {
      context.fireUserInboundEventTriggered(event)
    }
  }
}

/// What is written is a buffer: the client's encoder wants it wrapped.
private final class BodyParts: ChannelOutboundHandler, Sendable {
  typealias OutboundIn = HTTPPart<HTTPRequestHead, ByteBuffer>
  typealias OutboundOut = HTTPClientRequestPart

  func write(
    context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?
  ) {
    let part: HTTPClientRequestPart =
      switch unwrapOutboundIn(data) {
      case .head(let head): .head(head)
      case .body(let buffer): .body(.byteBuffer(buffer))
      case .end(let fields): .end(fields)
      }
    context.write(wrapOutboundOut(part), promise: promise)
  }
}
