public import Foundation

/// A file of rows on the server.
public struct TrainingFile: Decodable, Sendable {
  /// Given by the server.
  public let id: String
  /// Of its content.
  public let bytes: Int
  /// As it was brought.
  public let filename: String
  /// On its rows.
  public let report: Report

  /// What a look at its rows found.
  public struct Report: Decodable, Sendable {
    /// That its rows suit; nil for requests of a batch.
    public let task: String?
    /// Lines with something in them.
    public let rows: Int
  }
}

/// What is to be trained, and how; what is not said is what suits the rows.
public struct FineTuning: Encodable, Sendable {
  /// A vBERT, or a base for a new one.
  public var model: String
  /// Ids of files.
  public var trainingFile: String
  /// Rows that epochs are judged by; without, some of the training file's.
  public var validationFile: String?
  /// The new vBERT's name.
  public var suffix: String?
  /// Of what is drawn by chance.
  public var seed: UInt64?
  /// OpenAI's three.
  public var hyperparameters: Hyperparameters?
  /// Our own settings.
  public var method: Method?
  /// Kept with it and told again.
  public var metadata: [String: String]?
  /// Whose; another than the key's is the operator's to say.
  public var tenant: String?

  /// OpenAI's names; nil: what suits the rows.
  public struct Hyperparameters: Encodable, Sendable {
    /// Passes over the rows; rows a step.
    public var nEpochs, batchSize: Int?
    /// Of the recipe's own rate.
    public var learningRateMultiplier: Double?

    /// What is nil is left to the recipe.
    public init(nEpochs: Int? = nil, batchSize: Int? = nil, learningRateMultiplier: Double? = nil) {
      (self.nEpochs, self.batchSize) = (nEpochs, batchSize)
      self.learningRateMultiplier = learningRateMultiplier
    }
  }

  /// How to train, beyond OpenAI's names.
  public struct Method: Encodable, Sendable {
    let type = "vbert"
    /// What to set.
    public var vbert: Settings
    /// With these settings.
    public init(_ settings: Settings) { vbert = settings }
  }

  /// What a new vBERT is, and how it is trained (docs/openapi.yaml, VBertMethod).
  public struct Settings: Encodable, Sendable {
    /// As `vbert train` names them.
    public var task, domain, adapter, pooling, effort, loss: String?
    /// That it is to tell apart; without, those of the rows.
    public var labels: [String]?
    /// Tokens of a text; steps; epochs without gain; rows.
    public var maxLength, steps, patience, limit: Int?
    /// Of the optimiser; part of units dropped.
    public var learningRate, dropout: Double?
    /// That an embedding may be cut to.
    public var dimensions: [Int]?
    /// Lets the rows' labels replace what an existing vBERT learnt.
    public var anew: Bool?
    /// Nothing set.
    public init() {}
  }

  /// A wish for what suits the rows.
  public init(model: String, trainingFile: String, suffix: String? = nil) {
    (self.model, self.trainingFile, self.suffix) = (model, trainingFile, suffix)
  }
}

/// A fine-tuning as the server tells it.
public struct FineTuningJob: Decodable, Sendable {
  /// Given by the server.
  public let id: String
  /// queued, running, paused, succeeded, failed, cancelled.
  public let status: String
  /// The name of what is trained.
  public let vbert: String
  /// That it made.
  public let version: Int?
  /// In all passes, once it has succeeded.
  public let trainedTokens: Int?
  /// Why it failed.
  public let error: Problem?
  /// When it was asked for.
  public let createdAt: Date

  /// What went wrong.
  public struct Problem: Decodable, Sendable {
    /// In words for people.
    public let message: String
  }

  /// Whether nothing more will happen.
  public var isOver: Bool { ["succeeded", "failed", "cancelled"].contains(status) }

  enum CodingKeys: String, CodingKey {
    case id, status, vbert, version, error
    case trainedTokens = "trained_tokens"
    case createdAt = "created_at"
  }
}

/// What happened on the way.
public struct FineTuningEvent: Decodable, Sendable {
  /// Given by the server.
  public let id: String
  /// info, warn or error.
  public let level: String
  /// For people.
  public let message: String
  /// Figures by name, such as loss and score.
  public let data: [String: Double]
  /// When it happened.
  public let createdAt: Date

  enum CodingKeys: String, CodingKey {
    case id, level, message, data
    case createdAt = "created_at"
  }
}

extension VBERTClient {
  /// Brings a file of this machine's, `path`, to the server, however long it is: rows to learn from.
  public func upload(_ path: String) async throws -> TrainingFile {
    guard let values = try? FileManager.default.attributesOfItem(atPath: path),
      values[.type] as? FileAttributeType == .typeRegular,
      let count = values[.size] as? Int
    else { throw VBERTClientError.file("\(path) is no file that can be read") }
    let boundary = "vbert-\(UUID().uuidString)"
    let name = URL(filePath: path).lastPathComponent
    let shown = name.replacing("\"", with: "%22").replacing("\r", with: " ").replacing(
      "\n", with: " ")
    let head = """
      --\(boundary)\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nfine-tune\r
      --\(boundary)\r\nContent-Disposition: form-data; name="file"; filename="\(shown)"\r
      Content-Type: application/octet-stream\r\n\r\n
      """
    return try await answer(
      .init(
        method: "POST", path: "/v1/files",
        headers: [("content-type", "multipart/form-data; boundary=\(boundary)")],
        body: [
          .bytes(Array(head.utf8)), .file(path: path, count: count),
          .bytes(Array("\r\n--\(boundary)--\r\n".utf8)),
        ]))
  }

  /// Removes a file from the server.
  public func deleteFile(_ id: String) async throws {
    let _: Deleted = try await delete("/v1/files/\(Self.part(id))")
  }

  /// Puts a training into the queue.
  public func fineTune(_ wish: FineTuning) async throws -> FineTuningJob {
    try await post("/v1/fine_tuning/jobs", wish)
  }

  /// How far it is.
  public func fineTuning(_ id: String) async throws -> FineTuningJob {
    try await get("/v1/fine_tuning/jobs/\(Self.part(id))")
  }

  /// Ends it without a version.
  public func cancel(_ id: String) async throws -> FineTuningJob {
    struct Nothing: Encodable {}
    return try await post("/v1/fine_tuning/jobs/\(Self.part(id))/cancel", Nothing())
  }

  /// What happens, from the beginning to the end; goes on where a connection broke.
  public func events(of id: String) -> AsyncThrowingStream<FineTuningEvent, any Error> {
    AsyncThrowingStream { continuation in
      let task = Task {
        do {
          try await listen(id) { continuation.yield($0) }
          continuation.finish()
        } catch { continuation.finish(throwing: error) }
      }
      continuation.onTermination = { _ in task.cancel() }
    }
  }

  private func listen(
    _ id: String, _ tell: @escaping @Sendable (FineTuningEvent) -> Void
  ) async throws {
    let path = "/v1/fine_tuning/jobs/\(Self.part(id))/events?stream=true"
    let reader = EventReader()
    var breaks = 0
    while true {
      let before = reader.last
      do {
        try await hear(
          .init(path: path, headers: before.map { [("last-event-id", $0)] } ?? [])
        ) { bytes in try reader.read(bytes, tell) }
        if reader.isOver { return }
        throw VBERTClientError.connection("it hung up")
      } catch let error as VBERTClientError {
        switch error {
        case .connection, .timedOut: break
        case .status(503, _, _): break
        default: throw error
        }
        // A server that is started again comes back; one that never does is given up.
        breaks = reader.last == before ? breaks + 1 : 1
        guard breaks <= 10 else { throw error }
        reader.breakOff()
        try await Task.sleep(for: .seconds(min(10, breaks)))
      }
    }
  }
}

/// What is left of something.
struct Deleted: Decodable { let id: String }
