import Compute
import Model

/// What comes of a vBERT's way.
extension FewRowsTraining {
  func outcome(_ item: Running, _ tuned: Tuned?) throws -> TrainingJob.Outcome {
    let taken = tuned.flatMap { tuned in
      HeadChoice.isWorth(tuned.trial.quality, over: tuned.alone.quality) ? tuned : nil
    }
    let alone = item.job.spec.headAlone
    let spec = taken == nil ? alone : item.job.spec.tuned
    let head = taken?.head ?? item.trial.heads[item.folds.count]
    var adapter = HostAdapter(
      bottlenecks: taken?.adapter.bottlenecks ?? [], lowRanks: taken?.adapter.lowRanks ?? [])
    adapter.head = HostMatrix(
      weight: head.weight, bias: head.bias, outputs: head.outputs,
      inputs: configuration.hiddenSize)
    func scores(_ held: [[Float]]) -> Scores { Scores(item.job.train, spec: spec, logits: held) }
    let headScores = scores(tuned?.alone.held ?? item.trial.held)
    let adapted = tuned.map { scores($0.trial.held) }
    var dev = (taken == nil ? nil : adapted) ?? scores(item.trial.held)
    if item.job.dev.count > 0 {
      let vectors = try states(item.job.dev.sequences, spec, taken == nil ? nil : adapter)
      let rows = HeadRows(
        item.job.dev, names: 0, spec: spec, hidden: configuration.hiddenSize, outputs: vectors)
      dev = Scores(
        item.job.dev, spec: spec, logits: rows.rows.map { rows.outputs(of: $0, by: head) })
    }
    var recipe = TrainingRecipe(
      effort: item.few.effort, rows: item.job.train.count, labels: spec.labels.count,
      candidate: item.trial.candidate, adapter: spec.adapter, steps: tuned?.steps ?? 0,
      metric: headScores.primary, headScore: headScores.value, adapterScore: adapted?.value,
      folds: tuned == nil ? item.folds.count : FewRows.adapterFolds,
      measured: item.job.dev.count == 0 ? .crossValidation : item.few.measure)
    recipe.choice = tuned.flatMap { tuned in
      func mean(_ trial: HeadTrial) -> Double {
        trial.quality.reduce(0, +) / Double(max(1, trial.quality.count))
      }
      return item.job.spec.task.choosesBy.map {
        TrainingRecipe.Choice(name: $0, head: mean(tuned.alone), adapter: mean(tuned.trial))
      }
    }
    let epoch = TrainingJob.Epoch(number: 1, loss: dev.loss, dev: dev, isBest: true)
    return TrainingJob.Outcome(
      adapter: adapter, spec: spec, epochs: [epoch], best: epoch, rows: item.job.train.count,
      tokens: item.job.train.tokens + (tuned?.tokens ?? 0), steps: tuned?.steps ?? 0, recipe: recipe
    )
  }
}
