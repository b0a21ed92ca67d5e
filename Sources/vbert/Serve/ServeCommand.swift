import ArgumentParser
import Dispatcher
import Foundation
import Logging
import Manager
import Scheduler
import ServiceLifecycle
import UnixSignals

/// `vbert serve`: all registered vBERTs over HTTP, until SIGTERM or SIGINT.
struct ServeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve", abstract: "Serve all vBERTs over HTTP.",
    discussion: """
      Routes and bodies are those of Text Embeddings Inference, Hugging Face, OpenAI, Cohere, vLLM,
      infinity and KServe; docs/openapi.yaml lists them, docs/clients.md who speaks them. New vBERTs and versions are served without a restart. On SIGTERM the server finishes
      what it accepted and takes nothing new. With --json it prints where it listens, once it does.
        vbert serve --port 8080
        curl -d '{"model": "reviews", "inputs": "A fine film."}' localhost:8080/predict
      """)

  @OptionGroup var options: GlobalOptions
  @OptionGroup var device: DeviceOptions
  @OptionGroup var precision: PrecisionOptions
  @OptionGroup var serving: ServingOptions

  func run() async throws {
    LoggingSystem.bootstrap { label in
      var handler = StreamLogHandler.standardError(label: label)
      handler.logLevel =
        ProcessInfo.processInfo.environment["LOG_LEVEL"].flatMap(Logger.Level.init(rawValue:))
        ?? .info
      return handler
    }
    let log = Logger(label: "vbert")
    let rooms = try await Rooms(
      home: Home(option: options.home),
      Device(
        device, precision: precision.precision, adapterBytes: serving.cacheBytes?.bytes), serving,
      log)
    try await rooms.preload()
    let isOpen = try await !rooms.registry.isClosed()
    if isOpen {
      log.warning("this home is open: everybody may ask, as tenant default; a first key closes it")
    } else {
      log.info("this home is closed: every request needs a tenant's key")
    }
    rooms.collectOrphans(log)
    rooms.restoreRows(log)
    rooms.watchTables()

    let trainer = trainer(rooms, log)
    trainer?.start()
    defer { trainer?.stop() }

    let (json, host) = (options.json, serving.host)
    let app = rooms.application(log) { port in
      log.notice("listening on http://\(host):\(port)")
      guard json else { return }
      try? Output.json(Listening(host: host, port: port, open: isOpen))
      // A pipe is read by somebody who waits for this line.
      fflush(nil)
    }
    var group = ServiceGroupConfiguration(
      services: [app], gracefulShutdownSignals: [.sigterm, .sigint], logger: log)
    // Connections are closed after --drain and the pipeline gets as long: this is for what nobody
    // foresaw, which must not keep the rows from being saved.
    group.maximumGracefulShutdownDuration = .seconds(2 * serving.drain + 5)
    do { try await ServiceGroup(configuration: group).run() } catch {
      guard rooms.pipeline.intake.isStopping else {
        throw ListenError(error, serving) as (any Error)? ?? error
      }
      log.error("stopped before everything had ended", metadata: ["why": "\(error)"])
    }
    await rooms.dispatcher.close()
    rooms.saveRows(log)
    log.notice("stopped")
  }

  /// nil where fine-tunings are run elsewhere, if at all.
  private func trainer(_ rooms: Rooms, _ log: Logger) -> TrainerProcess? {
    guard serving.trainingShare > 0 else { return nil }
    let home = Home(option: options.home).root.path(percentEncoded: false)
    var arguments = [
      "trainer", "--home", home, "--beside-server", "\(serving.trainingShare)", "--device",
      "\(device.device)",
    ]
    if let threads = serving.threads { arguments += ["--threads", "\(threads)"] }
    for place in device.cudaLibraries { arguments += ["--cuda-libraries", place] }
    return TrainerProcess(rooms.registry, rooms.pipeline.intake, arguments: arguments, log)
  }

  private struct Listening: Encodable {
    let host: String
    let port: Int
    let open: Bool
  }
}
