import Trainer

/// Reads a training's events out on the terminal.
struct TrainingLine {
  private var bar = ProgressLine()
  private var progress = TrainingProgress()
  private var dev = ""
  private var isPreparing = false

  mutating func hear(_ event: TrainingEvent) {
    progress.hear(event)
    let isOne = progress.names.count == 1
    switch event {
    case .unseen(let name, let labels):
      ProgressLine.warn(
        "\(name): no row has \(labels.joined(separator: ", ")): nothing is learnt of it")
    case .began:
      bar = ProgressLine()
      (dev, isPreparing) = ("", true)
    case .preparing(let done, let all):
      bar.update("preparing", done: done, of: all, unit: "rows")
    case .step(_, _, _, let loss, _):
      if isPreparing {
        bar.end()
        (bar, isPreparing) = (ProgressLine(), false)
      }
      bar.update(
        "training", done: progress.done, of: progress.all, unit: "steps",
        note: isOne
          ? ", loss \(TrainReport.short(loss))\(dev)" : ", \(progress.running) vBERTs left")
    case .epoch(_, let epoch) where isOne:
      dev = ", dev \(epoch.dev.primary) \(TrainReport.short(epoch.dev.value))"
      bar.say(
        "epoch \(epoch.number): loss \(TrainReport.short(epoch.loss))\(dev)"
          + (epoch.isBest ? " (best)" : ""))
    case .epoch, .ended: break
    case .publishing: bar.end()
    }
  }
}
