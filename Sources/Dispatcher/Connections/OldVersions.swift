internal import NIOCore
internal import NIOHTTP1

/// Between the parser and what is told of requests: a peer that speaks HTTP/1.0 knows nothing of
/// connections that stay, of chunks, nor of answers before the answer. Its request closes the connection, and
/// its answer says so and has its length or the connection's end. So does that of any other request which is the
/// last of its connection (`ConnectionWish`).
///
/// It also need not say whom it asks; from HTTP/1.1 on there is one Host (RFC 9112, 3.2), which becomes the
/// request's authority: none where there are several, which the routes refuse.
final class OldVersions: ChannelDuplexHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias InboundOut = HTTPServerRequestPart
  typealias OutboundIn = HTTPServerResponsePart
  typealias OutboundOut = HTTPServerResponsePart

  /// Of the requests that are not answered yet: the next one's bytes may have come with the last one's.
  private var wishes = CircularBuffer<ConnectionWish>()

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard case .head(var head) = unwrapInboundIn(data) else { return context.fireChannelRead(data) }
    let hosts = head.headers[canonicalForm: "host"].count
    if hosts > 1 { head.headers.remove(name: "host") }
    let wish = ConnectionWish(head)
    wishes.append(wish)
    // In the one form that is understood behind this.
    if wish.isLast { head.headers.replaceOrAdd(name: "connection", value: "close") }
    if wish.isOld {
      head.headers.remove(name: "expect")
      if hosts == 0 { head.headers.add(name: "host", value: "localhost") }
    }
    context.fireChannelRead(wrapInboundOut(.head(head)))
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    let part = unwrapOutboundIn(data)
    let wish = wishes.first ?? ConnectionWish()
    if case .end = part { _ = wishes.popFirst() }
    guard wish.isLast, case .head(var head) = part, head.status.code >= 200 else {
      return context.write(data, promise: promise)
    }
    // The encoder makes no chunks for it.
    if wish.isOld { head.version = .http1_0 }
    head.headers.replaceOrAdd(name: "connection", value: "close")
    context.write(wrapOutboundOut(.head(head)), promise: promise)
  }
}
