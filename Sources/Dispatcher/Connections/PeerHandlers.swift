internal import NIOCore
internal import NIOExtras
internal import NIOHTTPTypes

/// In front of the parser: how many bytes come and go, and when reading is worth it.
final class PeerBytes: ChannelDuplexHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer
  typealias OutboundIn = IOData
  typealias OutboundOut = IOData

  private let peer: PeerGuard

  init(_ peer: PeerGuard) { self.peer = peer }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    if peer.received(unwrapInboundIn(data).readableBytes, context) {
      context.fireChannelRead(data)
    }
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    peer.readComplete(context)
    context.fireChannelReadComplete()
  }

  func read(context: ChannelHandlerContext) { peer.read(context) }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    let bytes = unwrapOutboundIn(data).readableBytes
    context.write(data, promise: peer.writes(bytes, promise, context))
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    switch event {
    case is ChannelShouldQuiesceEvent: peer.drain(context)
    case ChannelEvent.inputClosed: peer.closed(inputOnly: true)
    default: break
    }
    context.fireUserInboundEventTriggered(event)
  }

  func channelInactive(context: ChannelHandlerContext) {
    peer.inactive()
    context.fireChannelInactive()
  }
}

/// Behind the parser: requests and answers.
final class PeerParts: ChannelDuplexHandler {
  typealias InboundIn = HTTPRequestPart
  typealias InboundOut = HTTPRequestPart
  typealias OutboundIn = HTTPResponsePart
  typealias OutboundOut = HTTPResponsePart

  private let peer: PeerGuard

  init(_ peer: PeerGuard) { self.peer = peer }

  func handlerAdded(context: ChannelHandlerContext) { peer.parts = context }
  func handlerRemoved(context: ChannelHandlerContext) { peer.parts = nil }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    peer.received(unwrapInboundIn(data), context)
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    peer.write(unwrapOutboundIn(data), promise, context)
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    // Whoever is done with answering has closed this side: the peer gets a moment for its own.
    if case ChannelEvent.outputClosed = event { peer.linger(context) }
    context.fireUserInboundEventTriggered(event)
  }
}
