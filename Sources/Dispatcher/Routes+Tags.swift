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
    // Before any of them is split, which takes its time.
    guard items.count <= limits.batch else {
      throw APIError.batchTooLarge(count: items.count, most: limits.batch)
    }
    let texts = try items.map { item throws(APIError) in try TaggedText(item) }
    let answer = try await ask(
      vbert, texts.map { .words($0.words.map(\.text)) }, truncate: truncate, call)
    var writer = JSONWriter()
    func write(_ index: Int, to writer: inout JSONWriter) {
      let tags = texts[index].tags(answer.replies[index], labels: vbert.spec.labels)
      writer.array { list in
        switch aggregation {
        case .simple:
          for group in EntityGroup.groups(of: tags) {
            list.entity("entity_group", group.type, group.score, group.span, in: texts[index])
          }
        case .none:
          for tag in tags {
            list.entity("entity", tag.label, tag.score, tag.span, in: texts[index])
          }
        }
      }
    }
    if isSingle {
      write(0, to: &writer)
    } else {
      writer.array { list in for i in texts.indices { write(i, to: &list) } }
    }
    return Response(json: writer, headers: answer.headers)
  }
}

/// A text as its words, and back from words to its stretches.
private struct TaggedText {
  let words: [TextWord]
  private let scalars: [Unicode.Scalar]

  init(_ item: TagInputs.Item) throws(APIError) {
    switch item {
    case .text(let text):
      if text.isEmpty { throw .empty }
      words = splitWords(text)
      scalars = Array(text.unicodeScalars)
    case .words(let list):
      if list.isEmpty { throw .empty }
      var words: [TextWord] = []
      var place: Int32 = 0
      for word in list {
        let end = place + Int32(word.unicodeScalars.count)
        words.append(TextWord(text: word, span: TextSpan(start: place, end: end)))
        place = end + 1
      }
      self.words = words
      scalars = Array(list.joined(separator: " ").unicodeScalars)
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
