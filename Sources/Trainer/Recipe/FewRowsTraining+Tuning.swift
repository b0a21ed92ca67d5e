import Compute
import Model

/// Adapters on few rows, of many vBERTs at once.
extension FewRowsTraining {
  /// An adapter tuned on all rows with its head, and how it fared on rows that were held out beside a head
  /// alone that learnt from the same.
  struct Tuned {
    var adapter: HostAdapter
    var head: HeadSolution
    var trial: HeadTrial
    var alone: HeadTrial
    var steps: Int
    var tokens: Int
  }

  /// A vBERT whose adapter is tuned, without each part of its rows in turn and on all of them.
  private struct Tuning {
    /// Among all that run.
    let number: Int
    let item: Running
    let parts: Folds
    /// Heads on frozen states without each part.
    let alone: HeadTrial
    private var usesNames: Bool { item.trial.candidate.usesNames }

    /// In the order of parts, all rows' last.
    var jobs: [TrainingJob] {
      (0..<parts.count).map { part in
        item.job.tuning(parts.learnt(without: part), usesNames: usesNames, isPart: true)
      } + [item.job.tuning(Array(item.rows.rows), usesNames: usesNames, isPart: false)]
    }

    /// What finds the heads on what each job's adapter makes of the rows.
    func questions(_ rows: [HeadRows]) -> [HeadTrials.Question] {
      rows.enumerated().map { place, rows in
        HeadTrials.Question(
          rows: rows, candidates: [item.trial.candidate],
          splits: [
            place < parts.count
              ? HeadSplit(parts, without: place)
              : HeadSplit(learnt: Array(item.rows.rows), held: [])
          ])
      }
    }

    /// `trials`: of each question; `outcomes`: of each job.
    func tuned(_ trials: [HeadTrial], _ outcomes: [TrainingJob.Outcome]) -> Tuned {
      var held = [[Float]](repeating: [], count: item.rows.rows.count)
      for trial in trials.prefix(parts.count) {
        for (row, logits) in trial.held.enumerated() where !logits.isEmpty { held[row] = logits }
      }
      let (whole, outcome) = (trials[parts.count], outcomes[parts.count])
      return Tuned(
        adapter: outcome.adapter, head: whole.heads[0],
        trial: HeadTrial(
          candidate: whole.candidate, heads: whole.heads, held: held,
          quality: held.enumerated().map { item.rows.quality(of: $0.offset, $0.element) }),
        alone: alone, steps: outcome.steps, tokens: outcomes.reduce(0) { $0 + $1.tokens })
    }
  }

  /// Of those jobs whose recipe tries an adapter.
  func tune(
    _ running: [Running], isCancelled: () -> Bool, report: (TrainingEvent) -> Void
  ) throws -> [Int: Result<Tuned, TrainingError>] {
    let tunings = try tunings(running)
    guard !tunings.isEmpty else { return [:] }
    let group = try TrainingGroup(
      tunings.flatMap(\.jobs), source: source,
      entry: Entry(
        try UpperEncoder(base: model, backend: backend, tokenBudget: tokenBudget), lookup: lookup),
      configuration: configuration, backend: backend, tokenBudget: tokenBudget,
      stateBytes: stateBytes)
    let each = FewRows.adapterFolds + 1
    let outcomes = try group.run(isCancelled: isCancelled) { event in
      // A vBERT is as far as its last part.
      if case .step(let job, let step, let all, let loss, let tokens) = event,
        job % each == each - 1
      {
        report(
          .step(
            job: tunings[job / each].number, number: step, of: all, loss: loss, tokens: tokens))
      }
    }
    var results: [Int: Result<Tuned, TrainingError>] = [:]
    var whole: [(tuning: Tuning, outcomes: [TrainingJob.Outcome], rows: [HeadRows])] = []
    for (place, tuning) in tunings.enumerated() {
      let own = outcomes[place * each..<(place + 1) * each]
      do {
        let list = try own.map { try $0.get() }
        whole.append((tuning, list, try tunedRows(tuning.item, list)))
      } catch let error as TrainingError {
        results[tuning.number] = .failure(error)
      } catch is NotFinite {
        // Its parameters are, since the last step whose loss was still a number.
        results[tuning.number] = .failure(.diverged(step: (try? own.last?.get())?.steps ?? 0))
      }
    }
    let trials = try HeadTrials(backend: backend).run(
      whole.flatMap { $0.tuning.questions($0.rows) }
    ).map { $0[0] }
    for (place, item) in whole.enumerated() {
      results[item.tuning.number] = .success(
        item.tuning.tuned(Array(trials[place * each..<(place + 1) * each]), item.outcomes))
    }
    return results
  }

  private func tunings(_ running: [Running]) throws -> [Tuning] {
    let numbers = running.indices.filter { running[$0].triesAdapter }
    let parts = numbers.map { number in
      let job = running[number].job
      return Folds(job.train, count: FewRows.adapterFolds, seed: job.options.seed &+ 1)
    }
    let alone = try HeadTrials(backend: backend).run(
      zip(numbers, parts).map { number, parts in
        HeadTrials.Question(
          rows: running[number].rows, candidates: [running[number].trial.candidate],
          splits: (0..<parts.count).map { HeadSplit(parts, without: $0) })
      })
    return numbers.indices.map {
      Tuning(
        number: numbers[$0], item: running[numbers[$0]], parts: parts[$0], alone: alone[$0][0])
    }
  }

  /// What each job's adapter makes of the rows.
  private func tunedRows(
    _ item: Running, _ outcomes: [TrainingJob.Outcome]
  ) throws -> [HeadRows] {
    try outcomes.map {
      try headRows(item.job, item.few, item.job.spec.tuned, adapter: $0.adapter)
    }
  }
}
