import Dispatcher
import Hummingbird
import HummingbirdCore
import Logging
import Scheduler
import ServiceLifecycle

extension Rooms {
  /// The HTTP server with the pipeline behind it; `listening` hears the port once it is open.
  func application(
    _ log: Logger, listening: @escaping @Sendable (_ port: Int) -> Void
  ) -> some ApplicationProtocol {
    Application(
      router: dispatcher.router(),
      server: .watchedHTTP1(
        configuration: .init(
          idleTimeout: .seconds(75),
          httpDecoderConfiguration: .init(
            maxHeaderFieldSize: 16 << 10, maxHeaderListSize: 32 << 10, maxHeaderFieldCount: 100))),
      configuration: .init(
        address: .hostname(options.host, port: options.port), backlog: 1024,
        availableConnectionsDelegate: MaximumAvailableConnections(options.connections)),
      // Stopped in the opposite order: first the server, then what it needs.
      services: [PipelineService(pipeline: pipeline)],
      onServerRunning: { listening($0.localAddress?.port ?? 0) }, logger: log)
  }
}

/// Runs the pipeline until everything else has stopped, then lets it finish.
private struct PipelineService: Service {
  let pipeline: Pipeline

  func run() async throws {
    pipeline.start()
    try await gracefulShutdown()
    await pipeline.stop()
  }
}
