import ArgumentParser
import Foundation
import Model
import Trainer
import VBERTClient

extension TrainCommand: RemoteVerb {
  static var ofTheHome: [String] {
    [
      "--many", "--device", "--cuda-libraries", "--precision", "--threads", "--memory", "--note",
      "--head-rate", "--adapter-dropout", "--class-weights",
    ]
  }

  /// Brings the files, asks for the training, and tells what is heard of it.
  func run(on client: VBERTClient) async throws {
    guard let name, let data else { return }
    var brought: [String] = []
    func bring(_ path: String) async throws -> String {
      let file = try await client.upload(path)
      brought.append(file.id)
      return file.id
    }
    var wish = FineTuning(model: name.name.text, trainingFile: try await bring(data))
    wish.tenant = name.tenant == .default ? nil : name.tenant.text
    if let dev { wish.validationFile = try await bring(dev) }
    wish.seed = seed
    if epochs != nil || batch != nil {
      wish.hyperparameters = .init(nEpochs: epochs, batchSize: batch)
    }
    var settings = FineTuning.Settings()
    (settings.effort, settings.loss) = (effort?.rawValue, loss?.rawValue)
    (settings.steps, settings.patience, settings.limit) = (steps, patience, limit)
    (settings.learningRate, settings.dropout) = (lr.map(Double.init), dropout.map(Double.init))
    (settings.dimensions, settings.anew) = (dimensions?.sizes, anew ? true : nil)
    wish.method = .init(settings)
    let job = try await client.fineTune(wish)
    let line = ProgressLine()
    line.tell("\(job.id): asked for on the server")
    for try await event in client.events(of: job.id) {
      // Steps are for eyes alone.
      if event.data["step"] == nil { line.tell(event.message) } else { line.say(event.message) }
    }
    let done = try await client.fineTuning(job.id)
    for file in brought { try? await client.deleteFile(file) }
    guard done.status == "succeeded", let number = done.version else {
      throw FineTuningFailure(job: job.id, status: done.status, why: done.error?.message)
    }
    let version = try await client.vbert(name.text).versions?.first { $0.version == number }
    let report = Report(
      name: name.text, version: number, metrics: version?.metrics ?? [:],
      note: version?.note ?? "", job: job.id)
    if options.json { try Output.json(report) } else { print(report.text) }
  }

  private struct Report: Encodable {
    let name: String
    let version: Int
    let metrics: [String: Double]
    let note: String
    let job: String

    var text: String {
      let figures = metrics.sorted { $0.key < $1.key }.map {
        "\($0.key) \(TrainReport.short($0.value))"
      }
      return "\(name) version \(version): "
        + (figures + [note]).filter { !$0.isEmpty }.joined(separator: ", ")
    }
  }
}

/// A fine-tuning that has no version.
struct FineTuningFailure: Error, CustomStringConvertible {
  let job, status: String
  let why: String?

  var description: String { "\(job) \(status)" + (why.map { ": \($0)" } ?? "") }
}
