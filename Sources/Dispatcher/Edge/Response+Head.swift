internal import HTTPTypes
internal import Hummingbird
internal import Synchronization

extension Response {
  /// The answer to HEAD: the same fields, the body's length among them, and no body. What has no known
  /// length is written for its length alone: bytes behind an answer to HEAD would be read as the next answer.
  func withoutBody() async -> Response {
    var headers = headers
    if headers[.contentLength] == nil {
      let count = Mutex(0)
      let counted =
        (try? await body.write(Counter { bytes in count.withLock { $0 += bytes } })) != nil
      headers[.contentLength] = String(counted ? count.withLock { $0 } : 0)
    }
    return Response(status: status, headers: headers, body: ResponseBody())
  }
}

private struct Counter: ResponseBodyWriter {
  let note: @Sendable (Int) -> Void

  init(_ note: @escaping @Sendable (Int) -> Void) { self.note = note }

  func write(_ buffer: ByteBuffer) async throws { note(buffer.readableBytes) }
  consuming func finish(_ trailingHeaders: HTTPFields?) async throws {}
}
