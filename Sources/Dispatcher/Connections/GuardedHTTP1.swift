package import HummingbirdCore
package import Logging
package import NIOCore
internal import NIOHTTPTypesHTTP1

/// HTTP/1.1 for peers that are not trusted with their time: `HTTP1Channel` between the two handlers of
/// a `PeerGuard`. A request whose connection is gone is cancelled.
package struct GuardedHTTP1: ServerChildChannel {
  package struct Value: ServerChildChannelValue {
    let http: HTTP1Channel.Value
    let gone: EventLoopFuture<Void>
    let peer: Expectation.Peer
    package var channel: any Channel { http.channel }
  }

  private let http: HTTP1Channel
  private let limits: PeerLimits
  private let house: House

  package init(
    responder: @escaping HTTPChannelHandler.Responder, limits: PeerLimits, house: House
  ) {
    http = HTTP1Channel(
      responder: responder,
      configuration: .init(
        additionalChannelHandlers: [HalfCloseHandler()],
        httpDecoderConfiguration: .init(
          maxHeaderFieldSize: 16 << 10, maxHeaderListSize: 32 << 10, maxHeaderFieldCount: 100)))
    (self.limits, self.house) = (limits, house)
  }

  package static func builder(_ limits: PeerLimits, _ house: House) -> HTTPServerBuilder {
    HTTPServerBuilder { GuardedHTTP1(responder: $0, limits: limits, house: house) }
  }

  package func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
    let loop = channel.eventLoop
    // Reaches the guard on its own loop only.
    let box = NIOLoopBoundBox<PeerGuard?>(nil, eventLoop: loop)
    let entry = house.enter {
      loop.execute { if let peer = box.value, let context = peer.parts { peer.makeWay(context) } }
    }
    guard let entry else { return loop.makeFailedFuture(HouseIsFull()) }
    let gone = loop.makePromise(of: Void.self)
    let peer = PeerGuard(limits, house, number: entry.number, place: entry.place, gone: gone)
    box.value = peer
    do {
      try channel.syncOptions?.setOption(.maxMessagesPerRead, value: 1)
      peer.setPortion(isBody: false, channel)
      let pipeline = channel.pipeline.syncOperations
      try pipeline.addHandler(PeerBytes(peer))
      let value = http.setup(channel: channel, logger: logger)
      let codec = try pipeline.handler(type: HTTP1ToHTTPServerCodec.self)
      try pipeline.addHandler(PeerParts(peer), position: .after(codec))
      try pipeline.addHandler(OldVersions(), position: .before(codec))
      let waiting = Expectation.Peer { loop.execute { box.value?.goOn() } }
      return value.map { Value(http: $0, gone: gone.futureResult, peer: waiting) }
    } catch {
      peer.inactive()
      return loop.makeFailedFuture(error)
    }
  }

  package func handle(value: Value, logger: Logger) async {
    await withTaskGroup(of: Void.self) { group in
      group.addTask {
        await Expectation.$peer.withValue(value.peer) {
          await http.handle(value: value.http, logger: logger)
        }
      }
      group.addTask { try? await value.gone.get() }
      await group.next()
      group.cancelAll()
    }
  }
}

/// Not even a reserved place was free.
private struct HouseIsFull: Error {}
