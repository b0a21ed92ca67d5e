import Foundation
import Manager
import Trainer

/// How a distillation is getting on, for people.
struct DistillProgress {
  /// Speed so far, this run's start to now.
  struct Rates {
    var tokensPerSecond = 0.0
    /// Model FLOPs a second: those of the products, teacher and student.
    var flops = 0.0
  }

  let limit: DistillationLimit
  private(set) var rates = Rates()
  private var bar = ProgressLine()
  private var dev = ""

  init(limit: DistillationLimit) { self.limit = limit }

  mutating func show(_ event: Distillation.Event) {
    switch event {
    case .step(let state, let share, let loss, let tokensPerSecond, let flops):
      rates = Rates(tokensPerSecond: tokensPerSecond, flops: flops)
      let dev = dev
      bar.update(
        "distilling", done: Int(1000 * share), of: 1000, unit: "parts",
        note: ", \(state.tokens / 1000)K tokens, \(Int(tokensPerSecond)) tokens/s, "
          + "\((flops / 1e10).rounded() / 100) TFLOP/s, loss \(TrainReport.short(loss))\(dev)")
    case .measured(let point):
      dev = ", dev cosine \(TrainReport.short(point.cosine))"
      bar.say(
        "step \(point.step), \(point.tokens) tokens: "
          + (point.loss.map { "loss \(TrainReport.short($0)), " } ?? "")
          + "dev loss \(TrainReport.short(point.devLoss))\(dev)")
    }
  }

  func end() { bar.end() }
}

/// The curve as JSON lines, each written when it is known.
final class CurveFile {
  private let handle: FileHandle

  /// Appends to `path`. Throws when it cannot be opened.
  init(path: String) throws {
    if !FileManager.default.fileExists(atPath: path) {
      try Data().write(to: URL(filePath: path))
    }
    handle = try FileHandle(forWritingTo: URL(filePath: path))
    try handle.seekToEnd()
  }

  /// What cannot be written is no reason to stop.
  func append(_ point: Distillation.CurvePoint, _ rates: DistillProgress.Rates) {
    struct Line: Encodable {
      let step, tokens: Int
      let seconds: Double
      let loss: Double?
      let devLoss, cosine, tokensPerSecond, teraflops: Double
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    encoder.keyEncodingStrategy = .convertToSnakeCase
    let line = Line(
      step: point.step, tokens: point.tokens, seconds: point.seconds, loss: point.loss,
      devLoss: point.devLoss, cosine: point.cosine, tokensPerSecond: rates.tokensPerSecond,
      teraflops: rates.flops / 1e12)
    guard let text = try? encoder.encode(line) else { return }
    try? handle.write(contentsOf: text + Data("\n".utf8))
  }
}

/// What distillation came to.
struct DistillReport: Encodable {
  let name: String
  let steps, tokens: Int
  let seconds, devLoss, cosine: Double

  init(_ record: BaseRecord, _ state: Distillation.State) {
    name = record.name
    steps = state.step
    tokens = state.tokens
    seconds = state.seconds
    devLoss = state.curve.last?.devLoss ?? 0
    cosine = state.curve.last?.cosine ?? 0
  }

  var text: String {
    "\(name): \(steps) steps, \(tokens) tokens, \(Int(seconds)) s; on held-out lines: "
      + "loss \(TrainReport.short(devLoss)), cosine to the teacher \(TrainReport.short(cosine))"
  }
}
