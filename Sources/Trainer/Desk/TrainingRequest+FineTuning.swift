package import Manager
package import Model

extension FineTuningWish {
  /// As `vbert train` is asked for it. Throws `TrainingOptionProblem` for what is not possible.
  package func request(
    _ name: VBertName, _ spec: VBertSpec, data: String, dev: String?
  ) throws(TrainingOptionProblem) -> TrainingRequest {
    var options = TrainingOptions()
    options.epochs = epochs ?? options.epochs
    options.batch = batch ?? options.batch
    options.patience = patience ?? options.patience
    options.dropout = dropout.map { Float($0) } ?? options.dropout
    options.seed = seed ?? options.seed
    options.dimensions = dimensions ?? []
    if let loss {
      guard let known = EmbeddingLoss(rawValue: loss) else {
        throw .outside("loss", EmbeddingLoss.allCases.map(\.rawValue).joined(separator: ", "))
      }
      options.loss = known
    }
    let suiting = TrainingOptions.rate(for: spec.asCreated)
    let rate = rate.map { Float($0) } ?? rateFactor.map { Float($0) * suiting }
    options.rate = rate ?? options.rate
    try options.check()
    guard limit ?? 1 >= 1 else { throw .outside("limit", "1 or more") }
    guard 1...100_000 ~= steps ?? 1 else { throw .outside("steps", "1 to 100000") }
    return TrainingRequest(
      name: name, data: data, dev: dev, limit: limit, options: options, rate: rate,
      wish: try wish(), steps: steps, startsAnew: startsAnew ?? false)
  }

  private func wish() throws(TrainingOptionProblem) -> TrainingWish {
    let byEpochs = epochs != nil || batch != nil || patience != nil || dropout != nil
    guard let effort else { return byEpochs ? .byEpochs : .effort(nil) }
    guard let known = Effort(rawValue: effort) else {
      throw .outside("effort", Effort.allCases.map(\.rawValue).joined(separator: " or "))
    }
    if byEpochs { throw .effortAndEpochs }
    return .effort(known)
  }
}

/// The trainer's rules for who takes files and wishes in.
package struct FineTuningRules: TrainingRules {
  package init() {}

  package func report(rows path: String) throws -> RowsReport { try RowsReport(rows: path) }

  package func isProblemOfRows(_ error: any Error) -> Bool { error is RowsProblem }

  package func check(_ wish: FineTuningWish, _ spec: VBertSpec, _ rows: RowsReport) throws {
    _ = try wish.request(VBertName("x"), spec, data: "", dev: nil)
    guard let task = rows.task else { throw FineTuningProblem.noRows }
    guard spec.learns(from: task) else {
      throw FineTuningProblem.otherRows(task, task: spec.task)
    }
    guard spec.hasParameters else { throw FineTuningProblem.nothingToTrain }
  }
}

extension VBertSpec {
  fileprivate func learns(from rows: VBertTask) -> Bool {
    task == rows || task == .embed && [.classify, .score].contains(rows)
  }
}

/// Why rows and a vBERT do not go together.
package enum FineTuningProblem: Error, Equatable, CustomStringConvertible {
  case otherRows(VBertTask, task: VBertTask)
  case nothingToTrain
  case noRows
  /// Of a vBERT that was there when this was asked for.
  case gone
  case fileGone

  package var description: String {
    switch self {
    case .otherRows(let rows, let task):
      "its rows are for \(rows.rawValue), and the vBERT is for \(task.rawValue)"
    case .nothingToTrain:
      "an embedding model without an adapter has nothing to train; create one with an adapter, as in "
        + "\(AdapterSpec.forTrainedEmbedders)"
    case .noRows: "the file holds no rows to learn from"
    case .gone: "the vBERT was deleted or given away meanwhile"
    case .fileGone: "a file that it should learn from is gone"
    }
  }
}
