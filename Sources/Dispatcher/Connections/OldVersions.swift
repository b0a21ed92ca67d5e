internal import NIOCore
internal import NIOHTTP1

/// Between the parser and what is told of requests: a peer that speaks HTTP/1.0 knows nothing of
/// connections that stay, nor of chunks. Its request closes the connection, and its answer says so and has its
/// length or the connection's end.
///
/// It also need not say whom it asks; from HTTP/1.1 on there is one Host (RFC 9112, 3.2), which becomes the
/// request's authority: none where there are several, which the routes refuse.
final class OldVersions: ChannelDuplexHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias InboundOut = HTTPServerRequestPart
  typealias OutboundIn = HTTPServerResponsePart
  typealias OutboundOut = HTTPServerResponsePart

  private var isOld = false

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard case .head(var head) = unwrapInboundIn(data) else { return context.fireChannelRead(data) }
    let hosts = head.headers[canonicalForm: "host"].count
    if hosts > 1 { head.headers.remove(name: "host") }
    if head.version.major == 1, head.version.minor == 0 {
      isOld = true
      head.headers.replaceOrAdd(name: "connection", value: "close")
      if hosts == 0 { head.headers.add(name: "host", value: "localhost") }
    }
    context.fireChannelRead(wrapInboundOut(.head(head)))
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    guard isOld, case .head(var head) = unwrapOutboundIn(data) else {
      return context.write(data, promise: promise)
    }
    // The encoder makes no chunks for it.
    head.version = .http1_0
    head.headers.replaceOrAdd(name: "connection", value: "close")
    context.write(wrapOutboundOut(.head(head)), promise: promise)
  }
}
