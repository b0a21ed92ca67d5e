internal import Foundation
internal import Manager
internal import Model

/// A fine-tuning in OpenAI's shape, with what it is here beside.
struct FineTuningAnswer: Encodable {
  let id: String
  let object = "fine_tuning.job"
  let model: String
  let createdAt: Date
  let startedAt: Date?
  let finishedAt: Date?
  /// Once it answers.
  let fineTunedModel: String?
  let organizationId: String
  let resultFiles: [String] = []
  let status: String
  let trainingFile: String
  let validationFile: String?
  let hyperparameters: Hyperparameters
  let trainedTokens: Int?
  let error: Problem?
  let seed: UInt64
  let metadata: Metadata
  let vbert: String
  let version: Int?

  struct Hyperparameters: Encodable {
    let nEpochs, batchSize, learningRateMultiplier: NumberOrAuto
  }

  struct Problem: Encodable {
    let code = "training_failed"
    let message: String
    let param: String? = nil

    func encode(to encoder: any Encoder) throws {
      var object = encoder.container(keyedBy: Key.self)
      try object.encode(code, forKey: .code)
      try object.encode(message, forKey: .message)
      try object.encodeNil(forKey: .param)
    }
    private enum Key: CodingKey { case code, message, param }
  }

  init(_ record: FineTuningRecord) {
    (id, model, createdAt) = (record.id, record.model, record.created)
    (startedAt, finishedAt) = (record.started, record.finished)
    fineTunedModel = record.state == .succeeded ? record.name.text : nil
    (organizationId, status) = (record.tenant.text, record.state.rawValue)
    let wish = record.wish
    (trainingFile, validationFile) = (wish.trainingFile, wish.validationFile)
    hyperparameters = Hyperparameters(
      nEpochs: NumberOrAuto(wish.epochs.map(Double.init)),
      batchSize: NumberOrAuto(wish.batch.map(Double.init)),
      learningRateMultiplier: NumberOrAuto(wish.rateFactor))
    (trainedTokens, error) = (record.tokens, record.error.map { Problem(message: $0) })
    (seed, metadata) = (wish.seed ?? 1, Metadata(record.metadata))
    (vbert, version) = (record.name.text, record.version)
  }

  private enum Key: String, CodingKey {
    case id, object, model, createdAt, startedAt, finishedAt, fineTunedModel, organizationId
    case resultFiles, status, trainingFile, validationFile, hyperparameters, trainedTokens, error
    case seed, metadata, vbert, version
  }

  /// What is not there yet is null, as OpenAI's clients expect.
  func encode(to encoder: any Encoder) throws {
    var object = encoder.container(keyedBy: Key.self)
    func put(_ value: (some Encodable)?, _ key: Key) throws {
      if let value {
        try object.encode(value, forKey: key)
      } else {
        try object.encodeNil(forKey: key)
      }
    }
    try put(id, .id)
    try put(self.object, .object)
    try put(model, .model)
    try put(createdAt, .createdAt)
    try put(startedAt, .startedAt)
    try put(finishedAt, .finishedAt)
    try put(fineTunedModel, .fineTunedModel)
    try put(organizationId, .organizationId)
    try put(resultFiles, .resultFiles)
    try put(status, .status)
    try put(trainingFile, .trainingFile)
    try put(validationFile, .validationFile)
    try put(hyperparameters, .hyperparameters)
    try put(trainedTokens, .trainedTokens)
    try put(error, .error)
    try put(seed, .seed)
    try put(metadata, .metadata)
    try put(vbert, .vbert)
    try put(version, .version)
  }
}

/// A number, or `"auto"` for what suits.
struct NumberOrAuto: Encodable {
  let number: Double?
  init(_ number: Double?) { self.number = number }

  func encode(to encoder: any Encoder) throws {
    var value = encoder.singleValueContainer()
    if let number { try value.encode(number) } else { try value.encode("auto") }
  }
}

/// Somebody's own words: written as they came, not in snake case.
struct Metadata: Encodable {
  private let pairs: [String: String]
  init(_ pairs: [String: String]) { self.pairs = pairs }

  /// Throws `APIError.invalid` for more than OpenAI keeps.
  func check() throws(APIError) {
    guard pairs.count <= 16 else {
      throw .invalid("at most 16 pairs are kept", param: "metadata")
    }
    guard pairs.allSatisfy({ $0.utf8.count <= 64 && $1.utf8.count <= 512 }) else {
      throw .invalid("keys have at most 64 bytes, values 512", param: "metadata")
    }
  }

  func encode(to encoder: any Encoder) throws {
    var value = encoder.singleValueContainer()
    // Names of a dictionary's are left as they are.
    try value.encode(pairs)
  }
}

struct CheckpointAnswer: Encodable {
  let id: String
  let object = "fine_tuning.job.checkpoint"
  let createdAt: Date
  let fineTunedModelCheckpoint: String
  let fineTuningJobId: String
  let metrics: [String: Double]
  /// That of the version: steps are not counted here.
  let stepNumber: Int

  init(_ record: FineTuningRecord, _ version: VersionRecord) {
    id = "ftckpt-\(record.id.split(separator: "-").last ?? "")-\(version.id.number)"
    createdAt = version.created
    fineTunedModelCheckpoint = "\(record.name)@\(version.id.number)"
    fineTuningJobId = record.id
    (metrics, stepNumber) = (version.metrics, version.id.number)
  }
}
