internal import Hummingbird
internal import Model
internal import Scheduler

extension Dispatcher {
  /// Entities in the shape of Hugging Face's token classification.
  @Sendable func tag(_ call: Call) async throws -> Response {
    let body = try await body(call, as: TagBody.self)
    let vbert = try find(
      body.vbertName, call, tasks: [.tag], hint: "ask it with /predict, /embed or /classify")
    return try await entities(
      vbert, body.inputs.items, isSingle: body.inputs.isSingle,
      aggregation: body.aggregation_strategy ?? .simple, truncate: body.truncate, call)
  }

  /// Offsets are code points of the text; of given words, of these joined by single spaces.
  func entities(
    _ vbert: PinnedVBert, _ items: [TagInputs.Item], isSingle: Bool,
    aggregation: TagBody.Aggregation, truncate: Bool?, _ call: Call
  ) async throws -> Response {
    let answer = try await ask(
      vbert,
      items.map { item in
        switch item {
        case .text(let text): .running(text)
        case .words(let words): .words(words)
        }
      }, truncate: truncate, call)
    let scheme = vbert.spec.tags
    let write = { @Sendable (index: Int, writer: inout JSONWriter) in
      let text = TaggedText(items[index], words: answer.sequences[index].words)
      let tags = text.tags(answer.replies[index], labels: vbert.spec.labels)
      writer.array { list in
        switch aggregation {
        case .simple:
          for group in EntityGroup.groups(of: tags, scheme) {
            list.entity("entity_group", group.type, group.score, group.span, in: text)
          }
        case .none:
          for tag in tags { list.entity("entity", tag.label, tag.score, tag.span, in: text) }
        }
      }
    }
    let pieces = JSONItems(items.count, isSingle: isSingle, item: write)
    return Response(pieces, headers: answer.headers, to: call, workers)
  }
}

/// The words of a text that were looked at, and back from words to its stretches.
private struct TaggedText {
  private let words: [TextWord]
  /// Of the text as far as its last word goes.
  private let scalars: [Unicode.Scalar]

  init(_ item: TagInputs.Item, words: [TextWord]) {
    self.words = words
    switch item {
    case .text(let text):
      scalars = Array(text.unicodeScalars.prefix(Int(words.last?.span.end ?? 0)))
    case .words(let list): scalars = Array(list.joined(separator: " ").unicodeScalars)
    }
  }

  /// A word without tokens (cut off, or nothing but control characters) is outside of everything.
  func tags(_ reply: Reply, labels: [String]) -> [WordTag] {
    guard case .words(let outputs) = reply.output else { return [] }
    return zip(words, outputs).map { word, logits in
      let span = Int(word.span.start)..<Int(word.span.end)
      let probabilities = Readout.softmax(logits)
      guard let best = Readout.best(probabilities), best < labels.count else {
        return WordTag(label: "O", score: 0, span: span)
      }
      return WordTag(label: labels[best], score: probabilities[best], span: span)
    }
  }

  func text(_ span: Range<Int>) -> String {
    var view = String.UnicodeScalarView()
    view.append(contentsOf: scalars[span])
    return String(view)
  }
}

extension JSONWriter {
  fileprivate mutating func entity(
    _ kind: String, _ type: String, _ score: Float, _ span: Range<Int>, in text: TaggedText
  ) {
    object { entity in
      entity.member(kind, type)
      entity.member("score", score)
      entity.member("word", text.text(span))
      entity.member("start", span.lowerBound)
      entity.member("end", span.upperBound)
    }
  }
}
