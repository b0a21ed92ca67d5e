import Trainer

/// Reads a training's events out on the terminal.
struct TrainingLine {
  /// How each of many is said as it ends: for people, or an object a line.
  enum Form { case text, json }

  private let many: (form: Form, count: Int)?
  private var bar = ProgressLine()
  private var progress = TrainingProgress()
  private var dev = ""
  private var isPreparing = false
  private var finished = 0

  /// Of one vBERT, or of the `many` of a list.
  init(many: (form: Form, count: Int)? = nil) { self.many = many }

  mutating func hear(_ event: TrainingEvent) {
    progress.hear(event)
    let isOne = many == nil && progress.names.count == 1
    let (progress, share) = (progress, share)
    switch event {
    case .unseen(let name, let labels):
      ProgressLine.warn(
        "\(name): no row has \(labels.joined(separator: ", ")): nothing but a name can tell of it")
    case .began:
      bar = ProgressLine()
      (dev, isPreparing) = ("", true)
    case .preparing(let done, let all):
      bar.update("preparing", done: done, of: all, unit: "rows", note: share)
    case .heads(let done, let all):
      if isPreparing {
        bar.end()
        (bar, isPreparing) = (ProgressLine(), false)
      }
      bar.update("solving", done: done, of: all, unit: "heads", note: share)
    case .step(_, _, _, let loss, _):
      if isPreparing {
        bar.end()
        (bar, isPreparing) = (ProgressLine(), false)
      }
      bar.update(
        "training", done: progress.done, of: progress.all, unit: "steps",
        note: isOne
          ? ", loss \(TrainReport.short(loss))\(dev)" : ", \(progress.running) vBERTs left\(share)")
    case .epoch(_, let epoch) where isOne:
      dev = ", dev \(epoch.dev.primary) \(TrainReport.short(epoch.dev.value))"
      bar.say(
        "epoch \(epoch.number): loss \(TrainReport.short(epoch.loss))\(dev)"
          + (epoch.isBest ? " (best)" : ""))
    case .epoch, .ended: break
    case .publishing: bar.end()
    case .finished(let result):
      finished += 1
      if let many { tell(TrainManyReport.Item(result), many.form) }
    }
  }

  /// How much of the list that is.
  private var share: String { many.map { "; \(finished) of \($0.count) done" } ?? "" }

  private func tell(_ item: TrainManyReport.Item, _ form: Form) {
    switch form {
    case .text: bar.tell(item.text)
    case .json: bar.tell((try? Output.line(item)) ?? item.text)
    }
  }
}
