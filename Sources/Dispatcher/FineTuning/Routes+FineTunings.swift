internal import Foundation
internal import Manager
internal import Model

extension Dispatcher {
  /// Puts a training into the queue: of the vBERT that `model` names, or of a new one on the base of that name.
  func createFineTuning(_ body: FineTuningBody, _ caller: Caller) async throws -> Outcome {
    let tenant = try caller.tenant(asked: body.tenant)
    let wish = try body.wish()
    return try await managing(caller) {
      let (rows, task) = try await rows(wish.trainingFile, of: tenant, param: "training_file")
      if let id = wish.validationFile {
        let dev = try await self.rows(id, of: tenant, param: "validation_file")
        guard dev.task == task else {
          throw APIError.invalid(
            "its rows are for \(dev.task.rawValue), those of training_file for \(task.rawValue)",
            param: "validation_file")
        }
      }
      let (name, spec, isNew) = try await subject(of: body, tenant, task)
      do { try rules.check(wish, spec, rows) } catch {
        throw APIError.invalid("\(error)", param: "method")
      }
      let new = NewFineTuning(
        name, spec: isNew ? spec : nil, model: body.model, wish: wish,
        metadata: body.metadata ?? [:])
      return try Outcome(encoding: FineTuningAnswer(try await registry.create(new)))
    }
  }

  /// What a file can teach. Throws `APIError.invalid` where it is not there, or was not brought for that.
  private func rows(
    _ id: String, of tenant: Name, param: String
  ) async throws -> (RowsReport, task: VBertTask) {
    guard let file = try await registry.file(id, of: tenant) else {
      throw APIError.invalid(RegistryError.noFile(id).description, param: param)
    }
    guard file.purpose == .fineTune, let task = file.report.task else {
      throw APIError.invalid(
        "\(id) was brought for a batch; bring rows with the purpose fine-tune", param: param)
    }
    return (file.report, task)
  }

  /// What is trained. A name that both a vBERT and a base have says which by `suffix`, which new ones have.
  private func subject(
    of body: FineTuningBody, _ tenant: Name, _ task: VBertTask
  ) async throws -> (VBertName, VBertSpec, isNew: Bool) {
    let address = try? VBertAddress(body.model, of: tenant)
    if let address, address.version != nil {
      throw APIError.invalid(
        "a vBERT is trained on from the version that answers now; roll back to another first",
        param: "model")
    }
    let asked = address?.name.tenant == tenant ? address?.name : nil
    let found = try await asked.asyncFlatMap { try await registry.find($0) }
    if body.suffix == nil, let found {
      if let member = body.method?.vbert?.ofNew {
        throw APIError.refused(
          "method.vbert.\(member): \(body.model) is there already and stays what it is; leave it out",
          param: "method.vbert.\(member)")
      }
      return (found.name, found.spec, false)
    }
    let ours = body.method?.vbert
    let name = VBertName(
      try body.suffix ?? Name("ft-" + PublicID.make("x").suffix(10)), of: tenant)
    guard try await registry.find(name) == nil else { throw RegistryError.vbertExists(name.text) }
    let wish = try NewVBertBody(
      name: name.name, task: ours?.task ?? task.rawValue, base: body.model,
      domain: ours?.domain, adapter: ours?.adapter ?? task.adapterToLearn,
      pooling: ours?.pooling, labels: ours?.labels, maxLength: ours?.maxLength
    ).wish()
    do {
      return (name, try await wish.spec(BaseChoice(home: store.home, registry)).spec, true)
    } catch let error as RegistryError { throw error } catch let error as BaseError {
      guard case .noBase = error, let asked else {
        throw APIError.invalid("\(error)", param: "model")
      }
      throw APIError.invalid(
        "there is neither a vBERT nor a base named \(clipped(asked.name.text)); name a vBERT to train it on, or a "
          + "base for a new one", param: "model")
    } catch { throw APIError.invalid("\(error)", param: NewVBertBody.member(of: error)) }
  }

  func fineTunings(_ query: NewestQuery, _ caller: Caller) async throws -> Outcome {
    let tenant = try caller.tenant(asked: query.tenant)
    return try await managing(caller) {
      let found = try await registry.fineTunings(
        of: tenant, after: query.after, limit: query.limit + 1)
      let data = found.prefix(query.limit).map { FineTuningAnswer($0) }
      return try Outcome(encoding: Page(data: data, hasMore: found.count > query.limit))
    }
  }

  func fineTuning(_ id: String, _ caller: Caller) async throws -> Outcome {
    try await managing(caller) {
      try Outcome(encoding: FineTuningAnswer(try await fineTuningRecord(id, caller)))
    }
  }

  func change(
    _ id: String, _ change: FineTuningChange, _ caller: Caller
  ) async throws -> Outcome {
    try await managing(caller) {
      try Outcome(
        encoding: FineTuningAnswer(
          try await registry.change(fineTuning: id, of: caller.reach, change)))
    }
  }

  /// The versions that came of it: OpenAI's name for what can be asked before the end; here that is the end.
  func checkpoints(_ id: String, _ caller: Caller) async throws -> Outcome {
    try await managing(caller) {
      let record = try await fineTuningRecord(id, caller)
      guard let number = record.version,
        let version = try await registry.version(
          VersionID(vbert: record.vbert, number: number))
      else { return try Outcome(encoding: Page<CheckpointAnswer>(data: [], hasMore: false)) }
      return try Outcome(
        encoding: Page(data: [CheckpointAnswer(record, version)], hasMore: false))
    }
  }

  func fineTuningRecord(_ id: String, _ caller: Caller) async throws -> FineTuningRecord {
    guard let record = try await registry.fineTuning(id, of: caller.reach) else {
      throw RegistryError.noFineTuning(id)
    }
    return record
  }
}

extension VBertTask {
  /// Of a new vBERT that is to learn: an embedder has none by itself.
  fileprivate var adapterToLearn: String? {
    self == .embed ? "\(AdapterSpec.forTrainedEmbedders)" : nil
  }
}

extension Optional {
  fileprivate func asyncFlatMap<Value>(
    _ body: (Wrapped) async throws -> Value?
  ) async rethrows -> Value? {
    guard let self else { return nil }
    return try await body(self)
  }
}
