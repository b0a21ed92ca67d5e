import ArgumentParser
import Dispatcher
import Foundation
import Manager

/// What `serve` can be told.
struct ServingOptions: ParsableArguments {
  @Option(help: "Port; 0 takes any that is free.")
  var port = 8080
  @Option(help: "Address to listen on; 0.0.0.0 for all.")
  var host = "127.0.0.1"
  @Option(help: "What to do about n-grams that the table lacks: exact, fallback or off.")
  var plot = PLOTMode.exact
  @Option(help: "Load this base at the start; may be repeated (default: those that vBERTs use).")
  var base: [String] = []
  @Option(help: "Most tokens computed at once (default: 4096; on a GPU 32768).")
  var tokenBudget: Int?
  @Option(help: "Most sequences computed at once (default: 256; on a GPU 1024).")
  var batch: Int?
  @Option(
    help: """
      Milliseconds that a batch may take: what a text waits for others, and how fair the sharing is \
      (default: 50; on a GPU 20).
      """)
  var batchMs: Double?
  @Option(help: "Most sequences that may wait; beyond it clients are told to come back (429).")
  var queue = 8192
  @Option(
    help: "Most sequences of one tenant that may wait (default: as many as it leaves places free).")
  var tenantQueue: Int?
  @Option(help: "Bytes of adapters kept ready (default: 512M; on a GPU half of its free memory).")
  var cacheBytes: ByteSize?
  @Option(
    help: """
      On a GPU: bytes of adapters in pinned host memory, from where those of a batch come to the \
      --cache-bytes of the GPU; for more vBERTs than it holds (default: they come from the disk).
      """)
  var hostAdapterBytes: ByteSize?
  @Option(help: "Bytes of computed n-gram rows kept, for each base.")
  var plotBytes = ByteSize(256 << 20)
  @Option(help: "Bytes of n-gram rows kept in a GPU's memory, for each base; 0: none.")
  var devicePlotBytes = ByteSize(2 << 30)
  @Option(help: "Compute threads of a CPU (default: as many as cores).")
  var threads: Int?
  @Option(help: "Seconds that a request may take until its last text is computed.")
  var timeout = 30.0
  @Option(help: "Most texts in one request.")
  var maxTexts = 2048
  @Option(help: "Most bytes of a request's body, packed (gzip) or not.")
  var bodyBytes = ByteSize(32 << 20)
  @Option(help: "Most bytes of a file that is brought to learn from.")
  var uploadBytes = ByteSize(512 << 20)
  @Option(
    help: """
      Most bytes of all bodies together, of which one tenant's have half (default: 128M, or twice \
      --body-bytes).
      """)
  var bodyMemory: ByteSize?
  @Option(
    help: """
      Most connections at once; fewer where the limit of open files is lower. Beyond it idle ones \
      are closed, and a few are accepted for /health and /metrics alone.
      """)
  var connections = 4096
  @Option(help: "Also answer /health, /info and /metrics on this port, apart from all else.")
  var healthPort: Int?
  @Option(help: "Seconds that the head of a request may take.")
  var headTimeout = 10.0
  @Option(help: "Least bytes a second of a body, in every 5 seconds.")
  var bodyRate = 1024
  @Option(help: "Seconds that a client may take nothing of its answer.")
  var writeTimeout = 10.0
  @Option(help: "Seconds that a connection may be open between two requests.")
  var idleTimeout = 75.0
  @Option(help: "Seconds that requests have to end in, once the server is told to stop.")
  var drain = 10.0
  @Option(
    help: """
      Of the time, what fine-tunings in the queue may take while requests come; 0: none are run here, \
      vbert trainer may run them elsewhere.
      """)
  var trainingShare = 0.5
  @Option(
    help: """
      Let pages of this origin (https://example.com) read answers in a browser; may be repeated; * for all pages \
      (default: none).
      """)
  var corsOrigin: [String] = []
  @Flag(help: "Cut texts that are too long, unless a request says \"truncate\": false.")
  var autoTruncate = false
  @Option(help: "Write a Chrome trace of the pipeline to this file (open in ui.perfetto.dev).")
  var trace: String?

  func validate() throws {
    let bounds: [(String, Int, ClosedRange<Int>)] = [
      ("port", port, 0...65535), ("token-budget", tokenBudget ?? 16, 16...1 << 20),
      ("batch", batch ?? 1, 1...1 << 16), ("queue", queue, 1...1 << 20),
      ("tenant-queue", tenantQueue ?? 1, 1...1 << 20), ("threads", threads ?? 1, 1...1024),
      ("max-texts", maxTexts, 1...1 << 16), ("body-bytes", bodyBytes.bytes, 1024...1 << 30),
      ("upload-bytes", uploadBytes.bytes, 1...(1 << 40)),
      ("connections", connections, 1...1 << 20), ("health-port", healthPort ?? 0, 0...65535),
      ("body-memory", bodyMemory?.bytes ?? 1 << 20, (1 << 20)...(1 << 40)),
      ("body-rate", bodyRate, 0...1 << 30),
      ("plot-bytes", plotBytes.bytes, ByteSize.ofMemory),
      ("host-adapter-bytes", hostAdapterBytes?.bytes ?? 0, ByteSize.ofMemory),
    ]
    for (name, value, range) in bounds where !range.contains(value) {
      throw ValidationError("--\(name) is \(value); use \(range.lowerBound) to \(range.upperBound)")
    }
    guard trainingShare == 0 || 0.01...1 ~= trainingShare else {
      throw ValidationError("--training-share: use 0, or 0.01 to 1")
    }
    guard 1...10_000 ~= batchMs ?? 50 else {
      throw ValidationError("--batch-ms: use 1 to 10000 milliseconds")
    }
    for (name, seconds) in [
      ("timeout", timeout), ("head-timeout", headTimeout), ("write-timeout", writeTimeout),
      ("idle-timeout", idleTimeout), ("drain", drain),
    ] where !(0.01...3600 ~= seconds) {
      throw ValidationError("--\(name): use 0.01 to 3600 seconds")
    }
    for origin in corsOrigin where origin != "*" && !Self.isOrigin(origin) {
      throw ValidationError(
        "--cors-origin: \"\(origin)\" is no origin; write scheme and host as https://example.com or "
          + "http://localhost:3000, without a path, or *")
    }
    if let bodyMemory, bodyMemory.bytes / 2 < bodyBytes.bytes {
      throw ValidationError("--body-memory: use twice --body-bytes at least")
    }
  }

  /// As browsers write it: small letters, and nothing behind the port.
  private static func isOrigin(_ text: String) -> Bool {
    text.wholeMatch(of: /[a-z][a-z0-9+.-]*:\/\/([a-z0-9._-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?/) != nil
  }

  var peers: PeerLimits {
    var limits = PeerLimits()
    limits.head = .seconds(headTimeout)
    limits.bodyRate = bodyRate
    limits.write = .seconds(writeTimeout)
    limits.idle = .seconds(idleTimeout)
    limits.drain = .seconds(drain)
    limits.lingerBytes = bodyBytes.bytes
    return limits
  }
}
