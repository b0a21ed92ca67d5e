internal import HTTPTypes
internal import NIOCore
internal import NIOHTTPTypes

/// Holds one connection's peer to its limits. Two handlers tell it what happens: `PeerBytes` in front
/// of the parser, `PeerParts` behind it; both belong to the connection's event loop.
final class PeerGuard {
  private(set) var peer: Peer
  private let house: House
  private let number: UInt64
  /// A reserved place: one answer, to /health or /metrics.
  let isReserved: Bool
  /// Done when there is nobody to answer any more.
  private let gone: EventLoopPromise<Void>
  private var isGone = false
  private var timer: Scheduled<Void>?
  private var timerAt = ContinuousClock.Instant.now
  /// A read was asked for and not passed on; one was passed on and nothing came yet.
  private var heldRead = false
  private var isReading = false
  /// Reads are as long as those of bodies are.
  private var readsBody = false
  /// The answer is not theirs any more: what they write goes nowhere.
  private(set) var isOver = false
  /// The last request wants no body back.
  private var isHead = false
  /// Behind the parser, to answer from.
  var parts: ChannelHandlerContext?

  init(
    _ limits: PeerLimits, _ house: House, number: UInt64, place: HouseBook.Place,
    gone: EventLoopPromise<Void>
  ) {
    peer = Peer(limits, now: .now)
    self.house = house
    self.number = number
    isReserved = place == .reserved
    self.gone = gone
  }

  /// So many bytes are read at once but in the midst of a body: what a read brings is parsed whole, and of
  /// requests that were sent ahead it may bring thousands. They would be answered one after the other, and
  /// the loop looks at no socket before; what stays with the kernel leaves others their turn.
  private static let portion = 1024

  /// `isBody`: the peer is in the midst of one.
  func setPortion(isBody: Bool, _ channel: any Channel) {
    readsBody = isBody
    let reads: any RecvByteBufferAllocator =
      isBody
      ? AdaptiveRecvByteBufferAllocator() : FixedSizeRecvByteBufferAllocator(capacity: Self.portion)
    try? channel.syncOptions?.setOption(.recvAllocator, value: reads)
  }

  // MARK: Bytes

  /// Whether they are to be parsed.
  func received(_ bytes: Int, _ context: ChannelHandlerContext) -> Bool {
    guard peer.received(bytes, now: .now) else {
      context.close(promise: nil)
      return false
    }
    setTimer(context)
    return !peer.isLingering
  }

  func readComplete(_ context: ChannelHandlerContext) {
    isReading = false
    if peer.isInBody != readsBody { setPortion(isBody: !readsBody, context.channel) }
    // Whoever usually asks for more has been cut off.
    if peer.isLingering { read(context) }
  }

  func read(_ context: ChannelHandlerContext) {
    guard peer.mayRead else {
      heldRead = true
      return
    }
    isReading = true
    context.read()
  }

  func writes(
    _ bytes: Int, _ promise: EventLoopPromise<Void>?, _ context: ChannelHandlerContext
  ) -> EventLoopPromise<Void> {
    peer.writes(bytes, now: .now)
    setTimer(context)
    let promise = promise ?? context.eventLoop.makePromise(of: Void.self)
    promise.futureResult.assumeIsolated().whenComplete { _ in self.peer.sent(bytes, now: .now) }
    return promise
  }

  func drain(_ context: ChannelHandlerContext) {
    peer.drain(now: .now)
    setTimer(context)
  }

  /// The peer has closed its side, or all of it.
  func closed(inputOnly: Bool) {
    // Between two requests a closed side is the end of a conversation, which others see to; after a
    // whole request it may be the end of that alone: `HalfCloseHandler` finds out.
    if inputOnly, peer.isIdle || peer.reading == .complete { return }
    end()
  }

  func inactive() {
    timer?.cancel()
    timer = nil
    parts = nil
    house.leave(number)
    end()
  }

  private func end() {
    guard !isGone else { return }
    isGone = true
    gone.succeed(())
  }

  // MARK: Parts

  func received(_ part: HTTPRequestPart, _ context: ChannelHandlerContext) {
    guard !isOver else { return }
    switch part {
    case .head(let request):
      peer.receivedHead(now: .now)
      isHead = request.method == .head
      if peer.unanswered == 1 { house.note(number, isIdle: false) }
      if isReserved, !["/health", "/metrics"].contains(request.path ?? "") {
        refuse(.serviceUnavailable, "the server has all the connections it takes", context)
        return
      }
    case .body(let bytes): peer.receivedBody(bytes.readableBytes)
    case .end: peer.receivedEnd()
    }
    setTimer(context)
    context.fireChannelRead(NIOAny(part))
  }

  func write(
    _ part: HTTPResponsePart, _ promise: EventLoopPromise<Void>?, _ context: ChannelHandlerContext
  ) {
    guard !isOver else {
      promise?.fail(ChannelError.ioOnClosedChannel)
      return
    }
    switch part {
    case .head(var response) where response.status.kind != .informational:
      if peer.beginsAnswer() || isReserved { response.headerFields[.connection] = "close" }
      context.write(NIOAny(HTTPResponsePart.head(response)), promise: promise)
    case .end:
      context.write(NIOAny(part), promise: promise)
      let mustEnd = peer.endsAnswer(now: .now) || isReserved
      if mustEnd { linger(context) } else if peer.isIdle { house.note(number, isIdle: true) }
      if heldRead, peer.mayRead, !mustEnd {
        heldRead = false
        context.read()
      }
      setTimer(context)
    default: context.write(NIOAny(part), promise: promise)
    }
  }

  /// Sends what was written and that nothing follows, then reads for a short while without looking.
  func linger(_ context: ChannelHandlerContext) {
    guard !isOver else { return }
    isOver = true
    peer.linger(now: .now)
    context.flush()
    context.close(mode: .output, promise: nil)
    context.read()
    setTimer(context)
  }

  /// Closes where no request is under way: it makes way for another connection.
  func makeWay(_ context: ChannelHandlerContext) {
    if peer.isIdle { context.close(promise: nil) } else { house.note(number, isIdle: false) }
  }

  private func refuse(
    _ status: HTTPResponse.Status, _ why: String, _ context: ChannelHandlerContext
  ) {
    guard !isOver else { return }
    var writer = JSONWriter()
    writer.object { object in
      object.member("error", why)
      object.member("error_type", status == .requestTimeout ? "Validation" : "Overloaded")
    }
    var fields: HTTPFields = [
      .contentType: "application/json", .contentLength: String(writer.bytes.count),
      .connection: "close",
    ]
    if status == .serviceUnavailable { fields[.retryAfter] = "1" }
    let head = HTTPResponse(status: status, headerFields: fields)
    context.write(NIOAny(HTTPResponsePart.head(head)), promise: nil)
    if !isHead {
      context.write(NIOAny(HTTPResponsePart.body(ByteBuffer(bytes: writer.bytes))), promise: nil)
    }
    context.write(NIOAny(HTTPResponsePart.end(nil)), promise: nil)
    linger(context)
    end()
  }

  // MARK: Time

  private func setTimer(_ context: ChannelHandlerContext) {
    let deadline = peer.deadline
    if timer != nil, timerAt <= deadline { return }
    timer?.cancel()
    timerAt = deadline
    let delay = max(.zero, deadline - .now)
    timer = context.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(delay)) {
      self.timer = nil
      self.check(context)
    }
  }

  private func check(_ context: ChannelHandlerContext) {
    switch peer.verdict(now: .now, isReading: isReading) {
    case .go: setTimer(context)
    case .close: context.close(promise: nil)
    case .refuse:
      guard let parts else { return context.close(promise: nil) }
      refuse(.requestTimeout, "the request took too long to arrive", parts)
    }
  }
}
