package import HummingbirdCore
package import Logging
package import NIOCore

/// HTTP/1.1 connections whose requests are cancelled when the peer is gone: what is queued leaves the
/// queue, what is half done is not finished. Who has only ended its side gets its answer.
package struct WatchedConnection: ServerChildChannel {
  private let http: HTTP1Channel

  package init(
    responder: @escaping HTTPChannelHandler.Responder, configuration: HTTP1Channel.Configuration
  ) {
    var configuration = configuration
    let others = configuration.additionalChannelHandlers
    configuration.additionalChannelHandlers = { others() + [HalfCloseHandler()] }
    http = HTTP1Channel(responder: responder, configuration: configuration)
  }

  package func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<HTTP1Channel.Value> {
    http.setup(channel: channel, logger: logger)
  }

  package func handle(value: HTTP1Channel.Value, logger: Logger) async {
    // One task a connection: its requests follow each other in it, and are cancelled with it.
    let task = Task { await http.handle(value: value, logger: logger) }
    value.channel.closeFuture.whenComplete { _ in task.cancel() }
    await withTaskCancellationHandler {
      await task.value
    } onCancel: {
      task.cancel()
    }
  }
}

extension HTTPServerBuilder {
  /// `http1` whose requests are cancelled when their peer is gone.
  package static func watchedHTTP1(
    configuration: HTTP1Channel.Configuration = .init()
  ) -> HTTPServerBuilder {
    HTTPServerBuilder { WatchedConnection(responder: $0, configuration: configuration) }
  }
}
