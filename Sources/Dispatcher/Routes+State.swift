package import Manager
internal import Model
internal import Scheduler

/// What the command line knows and /info tells.
package struct ServerInfo: Sendable {
  package var version: String
  /// The device's name.
  package var device: String
  package var plotMode: PLOTMode
  package var tokenBudget: Int
  package var maxSequences: Int
  package var queue: Int
  /// Milliseconds.
  package var batchTime: Double

  package init(
    version: String, device: String, plotMode: PLOTMode, tokenBudget: Int, maxSequences: Int,
    queue: Int, batchTime: Double = 50
  ) {
    self.version = version
    self.device = device
    self.plotMode = plotMode
    self.tokenBudget = tokenBudget
    self.maxSequences = maxSequences
    self.queue = queue
    self.batchTime = batchTime
  }
}

extension Dispatcher {
  func info() -> Outcome {
    let bases = bases.loaded
    var writer = JSONWriter()
    writer.object { object in
      object.member("version", about.version)
      object.key("model_id")
      if let base = bases.first { object.string(base.name) } else { object.null() }
      object.key("model_sha")
      if let base = bases.first { object.string(base.contentHash) } else { object.null() }
      object.member("model_dtype", "float32")
      object.member("device", about.device)
      object.member("plot", about.plotMode.rawValue)
      object.member("max_concurrent_requests", about.queue)
      object.member("max_batch_tokens", about.tokenBudget)
      object.member("max_batch_requests", about.maxSequences)
      object.member("batch_ms", about.batchTime)
      object.member("max_client_batch_size", limits.batch)
      object.member("max_body_bytes", limits.bodyBytes)
      object.member("request_seconds", limits.seconds)
      object.member("auto_truncate", limits.autoTruncate)
      object.key("bases")
      object.array { list in
        for base in bases {
          let shape = base.configuration
          list.object { item in
            item.member("name", base.name)
            item.member("hash", base.contentHash)
            item.member("layers", shape.layerCount)
            item.member("skip", shape.skipDepth)
            item.member("hidden", shape.hiddenSize)
            item.member("max_positions", shape.maxPositions)
          }
        }
      }
    }
    return Outcome(writer)
  }

  /// 200 while batches run through; 503 with the reason when they do not, or the pipeline stops.
  func health() throws -> Outcome {
    switch pipeline.health {
    case .ready: break
    case .stopping, .stopped: throw APIError.unhealthy("the server is stopping")
    case .unhealthy(let why): throw APIError.unhealthy(why)
    }
    var writer = JSONWriter()
    writer.object { $0.member("status", "ready") }
    return Outcome(writer)
  }

  func metricsPage() -> Outcome {
    var page = PrometheusPage()
    metrics.write(to: &page)
    for ending in SequenceCounts.Ending.allCases {
      page.sample(
        "vbert_sequences_total", .counter, Double(pipeline.intake.counts[ending]),
        labels: PrometheusPage.labels([("outcome", ending.rawValue)]))
    }
    page.sample("vbert_healthy", .gauge, pipeline.health == .ready ? 1 : 0)
    let load = pipeline.intake.load
    page.sample("vbert_queue_sequences", .gauge, Double(load.sequences))
    page.sample("vbert_queue_tokens", .gauge, Double(load.tokens))
    page.sample("vbert_drain_tokens_per_second", .gauge, load.drainRate)
    let adapters = cache.statistics
    page.sample("vbert_adapters_resident", .gauge, Double(adapters.residentCount))
    page.sample("vbert_adapters_resident_bytes", .gauge, Double(adapters.residentBytes))
    page.sample("vbert_adapters_bound_bytes", .gauge, Double(adapters.bound))
    page.sample("vbert_adapter_hits_total", .counter, Double(adapters.hits))
    page.sample("vbert_adapter_misses_total", .counter, Double(adapters.misses))
    page.sample("vbert_adapter_failures_total", .counter, Double(adapters.failures))
    page.sample("vbert_adapter_evictions_total", .counter, Double(adapters.evictions))
    let stores = bases.loaded.compactMap { base in base.plot.map { (base.name, $0) } }
    for (name, plot) in stores {
      page.sample(
        "vbert_plot_cached_rows", .gauge, Double(plot.cached.rows),
        labels: PrometheusPage.labels([("base", name)]))
    }
    for (name, plot) in stores {
      page.sample(
        "vbert_plot_lost_tables", .gauge, Double(plot.lost),
        labels: PrometheusPage.labels([("base", name)]))
    }
    for (name, plot) in stores {
      page.sample(
        "vbert_plot_damaged_rows", .gauge, Double(plot.damagedRows),
        labels: PrometheusPage.labels([("base", name)]))
    }
    return Outcome(text: page.text, type: "text/plain; version=0.0.4; charset=utf-8")
  }
}
