import Compute
import Model

/// What tunes an adapter on few rows.
extension TrainingJob {
  /// On some of the rows, with the labels' names where `usesNames`. `isPart`: to see how it fares on the
  /// others, in half the steps at twice the rate.
  func tuning(_ rows: [Int], usesNames: Bool, isPart: Bool) -> TrainingJob {
    var job =
      spec.isContrasted
      ? contrast(rows, names: usesNames ? few?.names ?? [] : []) : fitted(rows)
    let course = FewRows.course(spec, rows: train.count)
    let steps = (few?.steps ?? course.steps) / (isPart ? 2 : 1)
    job.options.rate = (few?.rate ?? course.rate) * (isPart ? 2 : 1)
    (job.options.batch, job.options.patience) = (FewRows.batch, 0)
    let perEpoch = (job.train.count + FewRows.batch - 1) / FewRows.batch
    job.options.epochs = max(1, (steps + perEpoch - 1) / perEpoch)
    // What suits the rows ends with a pass.
    if few?.steps != nil { job.options.mostSteps = max(1, steps) }
    return job
  }

  /// So that texts of one label come together.
  private func contrast(_ rows: [Int], names: [TokenSequence]) -> TrainingJob {
    var (spec, options) = (spec, options)
    (spec.task, spec.labels, spec.pooling) = (.embed, [], .mean)
    (spec.unseenLabels, spec.tagScheme, spec.dimensions) = (nil, nil, nil)
    (options.loss, options.dimensions) = (.contrastive, [])
    return TrainingJob(
      spec: spec, train: train.compared(rows, names: names), dev: .none, options: options)
  }

  /// By the task's own loss, with a head from a random beginning: one that is solved leaves so little loss
  /// that the adapter hardly learns (measured). Scores at mean 0 and variance 1, as the head is not kept.
  private func fitted(_ rows: [Int]) -> TrainingJob {
    TrainingJob(
      spec: spec.tuned, train: train.rows(rows).standardized, dev: .none, options: options)
  }
}
