import ArgumentParser
import Foundation
import Model
import Trainer
import VBERTClient

extension PredictCommand: RemoteVerb {
  static var ofTheHome: [String] {
    ["--device", "--cuda-libraries", "--precision", "--threads", "--truncation-direction"]
  }

  /// Texts of one request.
  private static let portion = 256

  func run(on client: VBERTClient) async throws {
    let model = name.text + (version.map { "@\($0)" } ?? "")
    guard let task = VBertTask(rawValue: try await client.vbert(name.text).task) else {
      throw VBERTClientError.answer("it names a task that is unknown here")
    }
    let inputs: [TextInput]
    if let data {
      inputs = try DataSet(path: data, task: task, labelled: false).rows.map(\.input)
    } else {
      let text = text ?? ""
      inputs = [pair.map { .pair(text, $0) } ?? .text(text)]
    }
    var bar = ProgressLine()
    for start in stride(from: 0, to: inputs.count, by: Self.portion) {
      let part = Array(inputs[start..<min(inputs.count, start + Self.portion)])
      for answer in try await answers(part, task, of: model, client) {
        if options.json { try Output.json(answer) } else { print(answer.text) }
      }
      bar.update("predicting", done: start + part.count, of: inputs.count, unit: "rows")
    }
    bar.end()
  }

  private func answers(
    _ inputs: [TextInput], _ task: VBertTask, of model: String, _ client: VBERTClient
  ) async throws -> [Answer] {
    let texts = inputs.map(\.whole)
    switch task {
    case .embed:
      return try await client.embed(model, texts, truncate: truncate).map { Answer(embedding: $0) }
    case .tag:
      return zip(try await client.tag(model, texts, truncate: truncate), texts).map {
        Answer($0, of: $1)
      }
    case .classify, .multilabel, .score:
      let isPair = inputs.contains { $0.isPair }
      let scores =
        try await isPair
        ? client.predict(model, pairs: inputs.map(\.both), truncate: truncate)
        : client.predict(model, texts, truncate: truncate)
      return scores.map { Answer($0, task) }
    }
  }
}

extension TextInput {
  fileprivate var whole: String {
    switch self {
    case .text(let text), .running(let text), .pair(let text, _): text
    case .words(let words): words.joined(separator: " ")
    }
  }

  fileprivate var both: (String, String) {
    if case .pair(let one, let other) = self { return (one, other) }
    return (whole, "")
  }
}

extension Answer {
  init(embedding: [Float]) {
    self.init()
    self.embedding = embedding
  }

  /// Of a tagger: its entities alone.
  init(_ found: [Entity], of text: String) {
    self.init()
    entities = found.map {
      TaggedAnswer.Entity(
        entityGroup: $0.type, score: Float($0.score), word: $0.word, start: $0.start, end: $0.end)
    }
    let letters = Array(text.unicodeScalars)
    var (parts, next) = ("", 0)
    func add(_ range: Range<Int>) {
      parts.unicodeScalars.append(contentsOf: letters[range.clamped(to: 0..<letters.count)])
    }
    for one in found where next <= one.start && one.start <= one.end {
      add(next..<one.start)
      parts += (one.word.contains(" ") ? "[\(one.word)]" : one.word) + "/\(one.type)"
      next = one.end
    }
    add(min(next, letters.count)..<letters.count)
    tagged = parts
  }

  init(_ scores: [LabelScore], _ task: VBertTask) {
    self.init()
    let values = scores.map { ($0.label, Float($0.score)) }
    switch task {
    case .classify:
      (label, score) = (values.first?.0, values.first?.1)
      probabilities = Dictionary(values, uniquingKeysWith: max)
    case .multilabel:
      labels = values.filter { $0.1 >= 0.5 }.map(\.0)
      probabilities = Dictionary(values, uniquingKeysWith: max)
    case .score, .tag, .embed: score = values.first?.1
    }
  }
}
