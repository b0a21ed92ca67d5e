internal import HTTPTypes
internal import NIOCore
internal import NIOHTTPTypes

/// `AnswerAhead` in a connection's pipeline: sees requests and answers as parts, and has a hand at
/// their bytes.
final class HalfCloseHandler: ChannelDuplexHandler, RemovableChannelHandler {
  typealias InboundIn = HTTPRequestPart
  typealias InboundOut = HTTPRequestPart
  typealias OutboundIn = HTTPResponsePart
  typealias OutboundOut = HTTPResponsePart

  private var state = AnswerAhead()
  private let bytes = AnswerStart()

  func handlerAdded(context: ChannelHandlerContext) {
    do { try context.pipeline.syncOperations.addHandler(bytes, position: .first) } catch {
      context.fireErrorCaught(error)
    }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    if case .head = unwrapInboundIn(data) { state.requestBegan() }
    context.fireChannelRead(data)
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case .some(.inputClosed) = event as? ChannelEvent, state.peerClosed() { bytes.send() }
    context.fireUserInboundEventTriggered(event)
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    switch unwrapOutboundIn(data) {
    case .head(let head):
      state.answerBegins(isFinal: head.status.kind != .informational)
      context.write(data, promise: promise)
    case .body: context.write(data, promise: promise)
    case .end:
      context.write(data, promise: promise)
      state.answerEnded()
      bytes.hasWritten = false
    }
  }
}

/// Next to the socket: sends the start of an answer, and leaves it out of the answer that follows.
private final class AnswerStart: ChannelOutboundHandler {
  typealias OutboundIn = IOData
  typealias OutboundOut = IOData

  /// Some of the present answer, be it from another hand.
  var hasWritten = false
  private var isOut = false
  private var context: ChannelHandlerContext?

  func handlerAdded(context: ChannelHandlerContext) { self.context = context }
  func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

  func send() {
    guard let context, !hasWritten else { return }
    isOut = true
    let start = context.channel.allocator.buffer(bytes: AnswerAhead.start)
    context.writeAndFlush(wrapOutboundOut(.byteBuffer(start)), promise: nil)
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    hasWritten = true
    guard isOut, case .byteBuffer(var buffer) = unwrapOutboundIn(data) else {
      return context.write(data, promise: promise)
    }
    isOut = false
    guard buffer.readBytes(length: AnswerAhead.start.count) == AnswerAhead.start else {
      // No answer that we know: better none than one that is garbled.
      promise?.fail(ChannelError.ioOnClosedChannel)
      return context.close(promise: nil)
    }
    context.write(wrapOutboundOut(.byteBuffer(buffer)), promise: promise)
  }
}
