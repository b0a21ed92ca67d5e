import ArgumentParser
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
  var queue = 4096
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
  @Option(help: "Seconds that a request may wait.")
  var timeout = 30.0
  @Option(help: "Most texts in one request.")
  var maxTexts = 256
  @Option(help: "Most bytes of a request's body.")
  var bodyBytes = ByteSize(4 << 20)
  @Option(help: "Most connections at once.")
  var connections = 4096
  @Flag(help: "Cut texts that are too long, unless a request says \"truncate\": false.")
  var autoTruncate = false
  @Option(help: "Write a Chrome trace of the pipeline to this file (open in ui.perfetto.dev).")
  var trace: String?

  func validate() throws {
    for (name, value, range) in [
      ("port", port, 0...65535), ("token-budget", tokenBudget ?? 16, 16...1 << 20),
      ("batch", batch ?? 1, 1...1 << 16), ("queue", queue, 1...1 << 20),
      ("tenant-queue", tenantQueue ?? 1, 1...1 << 20), ("threads", threads ?? 1, 1...1024),
      ("max-texts", maxTexts, 1...1 << 16), ("body-bytes", bodyBytes.bytes, 1024...1 << 30),
      ("connections", connections, 1...1 << 20),
    ] where !range.contains(value) {
      throw ValidationError("--\(name) is \(value); use \(range.lowerBound) to \(range.upperBound)")
    }
    guard 1...10_000 ~= batchMs ?? 50 else {
      throw ValidationError("--batch-ms: use 1 to 10000 milliseconds")
    }
    guard 0.01...3600 ~= timeout else {
      throw ValidationError("--timeout: use 0.01 to 3600 seconds")
    }
  }
}
