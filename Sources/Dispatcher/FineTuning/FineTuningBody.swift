internal import Foundation
internal import Manager
internal import Model

/// POST /v1/fine_tuning/jobs: OpenAI's members, and ours under `method`.
struct FineTuningBody: ManagementBody {
  enum CodingKeys: String, CodingKey, CaseIterable {
    case model, suffix, seed, hyperparameters, method, metadata, integrations, tenant
    case trainingFile = "training_file"
    case validationFile = "validation_file"
  }

  let model: String
  let trainingFile: String
  var validationFile: String?
  /// The new vBERT's name, where `model` is a base.
  var suffix: Name?
  var seed: UInt64?
  var hyperparameters: Hyperparameters?
  var method: Method?
  var metadata: [String: String]?
  /// None are known: an empty list is one that asks for none.
  var integrations: [String]?
  var tenant: String?

  /// `"auto"`, or a number.
  struct Choice: Decodable {
    let number: Double?

    init(from decoder: any Decoder) throws {
      let value = try decoder.singleValueContainer()
      if let text = try? value.decode(String.self) {
        guard text == "auto" else {
          throw DecodingError.dataCorruptedError(
            in: value, debugDescription: "\"auto\" or a number was expected")
        }
        number = nil
      } else {
        number = try value.decode(Double.self)
      }
    }

    /// Throws `APIError.invalid` for a fraction.
    func whole(_ name: String) throws(APIError) -> Int? {
      guard let number else { return nil }
      guard let whole = Int(exactly: number) else {
        throw .invalid("\"auto\" or a whole number was expected", param: name)
      }
      return whole
    }
  }

  struct Hyperparameters: StrictMembers {
    enum CodingKeys: String, CodingKey, CaseIterable {
      case epochs = "n_epochs"
      case batch = "batch_size"
      case rateFactor = "learning_rate_multiplier"
    }
    var epochs, batch, rateFactor: Choice?

    init(from decoder: any Decoder) throws {
      try Self.check(decoder)
      let object = try decoder.container(keyedBy: CodingKeys.self)
      epochs = try object.decodeIfPresent(Choice.self, forKey: .epochs)
      batch = try object.decodeIfPresent(Choice.self, forKey: .batch)
      rateFactor = try object.decodeIfPresent(Choice.self, forKey: .rateFactor)
    }
  }

  /// OpenAI's `supervised`, or `vbert` with settings of ours.
  struct Method: StrictMembers {
    enum CodingKeys: String, CodingKey, CaseIterable { case type, supervised, vbert }
    let type: String
    var supervised: Supervised?
    var vbert: VBertMethod?

    init(from decoder: any Decoder) throws {
      try Self.check(decoder)
      let object = try decoder.container(keyedBy: CodingKeys.self)
      type = try object.decode(String.self, forKey: .type)
      supervised = try object.decodeIfPresent(Supervised.self, forKey: .supervised)
      vbert = try object.decodeIfPresent(VBertMethod.self, forKey: .vbert)
    }

    struct Supervised: StrictMembers {
      enum CodingKeys: String, CodingKey, CaseIterable { case hyperparameters }
      var hyperparameters: Hyperparameters?

      init(from decoder: any Decoder) throws {
        try Self.check(decoder)
        let object = try decoder.container(keyedBy: CodingKeys.self)
        hyperparameters = try object.decodeIfPresent(
          Hyperparameters.self, forKey: .hyperparameters)
      }
    }
  }
}

/// What `vbert create` and `vbert train` can be told beside.
struct VBertMethod: StrictMembers {
  enum CodingKeys: String, CodingKey, CaseIterable {
    case task, domain, adapter, pooling, labels, effort, steps, patience, limit, anew, dropout
    case loss, dimensions
    case maxLength = "max_length"
    case rate = "learning_rate"
  }
  var task, domain, adapter, pooling, effort, loss: String?
  var labels: [String]?
  var maxLength, steps, patience, limit: Int?
  var rate, dropout: Double?
  var dimensions: [Int]?
  var anew: Bool?

  init(from decoder: any Decoder) throws {
    try Self.check(decoder)
    let object = try decoder.container(keyedBy: CodingKeys.self)
    func member<Value: Decodable>(_ key: CodingKeys) throws -> Value? {
      try object.decodeIfPresent(Value.self, forKey: key)
    }
    (task, domain, adapter) = (try member(.task), try member(.domain), try member(.adapter))
    (pooling, effort, loss) = (try member(.pooling), try member(.effort), try member(.loss))
    (labels, maxLength, steps) = (try member(.labels), try member(.maxLength), try member(.steps))
    (patience, limit, rate) = (try member(.patience), try member(.limit), try member(.rate))
    (dropout, dimensions, anew) = (
      try member(.dropout), try member(.dimensions), try member(.anew)
    )
  }

  /// Those that say what a vBERT is, which only a new one can be told.
  var ofNew: String? {
    let given: [(String, Bool)] = [
      ("task", task != nil), ("domain", domain != nil), ("adapter", adapter != nil),
      ("pooling", pooling != nil), ("labels", labels != nil), ("max_length", maxLength != nil),
    ]
    return given.first(where: \.1)?.0
  }
}

extension FineTuningBody {
  /// What is to be learnt and how. Throws `APIError`.
  func wish() throws(APIError) -> FineTuningWish {
    guard integrations?.isEmpty ?? true else {
      throw .refused("integrations: there are none here; leave it out", param: "integrations")
    }
    try Metadata(metadata ?? [:]).check()
    if let method, !["supervised", "vbert"].contains(method.type) {
      throw .invalid("supervised or vbert was expected", param: "method.type")
    }
    let asked = method?.supervised?.hyperparameters
    if asked != nil, hyperparameters != nil {
      throw .refused(
        "hyperparameters are given twice, beside method and in it: say them once",
        param: "hyperparameters")
    }
    let numbers = hyperparameters ?? asked
    let ours = method?.vbert
    var wish = FineTuningWish(trainingFile: trainingFile, validationFile: validationFile)
    wish.epochs = try numbers?.epochs?.whole("n_epochs")
    wish.batch = try numbers?.batch?.whole("batch_size")
    wish.rateFactor = numbers?.rateFactor?.number
    wish.rate = ours?.rate
    if wish.rate != nil, wish.rateFactor != nil {
      throw .refused(
        "learning_rate and learning_rate_multiplier contradict each other: say one",
        param: "learning_rate")
    }
    if let factor = wish.rateFactor, !(factor > 0 && factor <= 1000) {
      throw .invalid("above 0 and at most 1000 was expected", param: "learning_rate_multiplier")
    }
    (wish.effort, wish.steps, wish.patience) = (ours?.effort, ours?.steps, ours?.patience)
    (wish.limit, wish.startsAnew, wish.dropout) = (ours?.limit, ours?.anew, ours?.dropout)
    (wish.loss, wish.dimensions, wish.seed) = (ours?.loss, ours?.dimensions, seed)
    return wish
  }
}
