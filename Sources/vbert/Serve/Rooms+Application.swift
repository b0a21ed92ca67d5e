import Dispatcher
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import Scheduler
import ServiceLifecycle

extension Rooms {
  /// The HTTP server with the pipeline behind it; `listening` hears the port once it is open.
  func application(
    _ log: Logger, listening: @escaping @Sendable (_ port: Int) -> Void
  ) -> some ApplicationProtocol {
    let house = house(log)
    // Stopped in the opposite order: first the servers, then what they need.
    var services: [any Service] = [
      PipelineService(pipeline: pipeline, patience: options.peers.drain)
    ]
    services.append(BatchService(dispatcher: dispatcher, log: log))
    if let port = options.healthPort {
      services.append(
        server(
          dispatcher.watchRouter(), port: port, House(seats: 64, reserved: 0), log: log,
          running: { log.notice("health and metrics on http://\(options.host):\($0)") }))
    }
    return server(
      dispatcher.router(), port: options.port, house, services, log: log, running: listening)
  }

  private func server(
    _ router: Router<BasicRequestContext>, port: Int, _ house: House,
    _ services: [any Service] = [], log: Logger,
    running: @escaping @Sendable (_ port: Int) -> Void
  ) -> some ApplicationProtocol {
    Application(
      router: router, server: GuardedHTTP1.builder(options.peers, house),
      configuration: .init(address: .hostname(options.host, port: port), backlog: 1024),
      services: services,
      onServerRunning: { channel in
        await AcceptPause.add(to: channel, log)
        running(channel.localAddress?.port ?? 0)
      }, logger: log)
  }

  /// As many connections as were asked for, or as the limit of open files has room for beside files.
  private func house(_ log: Logger) -> House {
    let room = descriptorLimit() - openDescriptors() - Rooms.spareDescriptors
    let reserved = max(1, min(32, room / 8))
    let seats = max(1, min(options.connections, room - reserved))
    if seats < options.connections {
      log.warning(
        "the limit of open files allows fewer connections than --connections: raise ulimit -n",
        metadata: [
          "connections": "\(seats)", "asked": "\(options.connections)",
          "files": "\(descriptorLimit())",
        ])
    }
    return House(seats: seats, reserved: reserved)
  }

  /// For files that are opened while requests are served: bases, adapters, the registry.
  private static var spareDescriptors: Int { 24 }
}

/// Answers batches until the server stops: what is not written down by then is asked again.
private struct BatchService: Service {
  let dispatcher: Dispatcher
  let log: Logger

  func run() async throws {
    await cancelWhenGracefulShutdown {
      await dispatcher.runBatches {
        log.error("batches are not answered; they are tried again", metadata: ["why": "\($0)"])
      }
    }
  }
}

/// Runs the pipeline until everything else has stopped, then lets it finish, for so long.
private struct PipelineService: Service {
  let pipeline: Pipeline
  let patience: Duration

  func run() async throws {
    pipeline.start()
    try await gracefulShutdown()
    let (ended, end) = AsyncStream<Void>.makeStream()
    // Not children: a device that hangs must not keep the process.
    let (pipeline, patience) = (pipeline, patience)
    Task.detached {
      await pipeline.stop()
      end.finish()
    }
    Task.detached {
      try? await Task.sleep(for: patience)
      end.finish()
    }
    for await _ in ended {}
  }
}
