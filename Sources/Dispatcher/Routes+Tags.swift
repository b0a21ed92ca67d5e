internal import Hummingbird
internal import Model
internal import Scheduler

extension Dispatcher {
  /// Entities in the shape of Hugging Face's token classification.
  @Sendable func tag(_ call: Call) async throws -> Response {
    let body = try await body(call, as: TagBody.self)
    let vbert = try find(body.vbertName, call, tasks: [.tag])
    return try await entities(
      vbert, body.inputs.items, isSingle: body.inputs.isSingle, body.tagging, body.reading, call)
  }

  /// Offsets are code points of the text; of given words, of these joined by single spaces.
  func entities(
    _ vbert: PinnedVBert, _ items: [TagInputs.Item], isSingle: Bool,
    _ tagging: Tagging, _ reading: Reading, _ call: Call
  ) async throws -> Response {
    let answer = try await ask(
      vbert,
      items.map { item in
        switch item {
        case .text(let text): .running(text)
        case .words(let words): .words(words)
        }
      }, reading, call, places: tagging.places)
    let scheme = vbert.spec.tags
    let write = { @Sendable (index: Int, writer: inout JSONWriter) in
      let sequence = answer.sequences[index]
      let text = TaggedText(items[index], sequence)
      let tags = tagging.tags(of: sequence, answer.replies[index], labels: vbert.spec.labels)
      writer.array { list in
        if tagging.aggregation == .none {
          for tag in tags where !tagging.ignored.contains(tag.label) {
            list.entity("entity", tag.label, tag.score, tag.span, in: text)
          }
        } else {
          for group in EntityGroup.groups(of: tags, scheme)
          where !tagging.ignored.contains(group.type) {
            list.entity("entity_group", group.type, group.score, group.span, in: text)
          }
        }
      }
    }
    let pieces = JSONItems(items.count, isSingle: isSingle, item: write)
    return Response(pieces, headers: answer.headers, to: call, workers)
  }
}

/// From the words of a text that were looked at back to its stretches.
private struct TaggedText {
  /// Of the text from where its first word is looked for to where its last one ends.
  private let scalars: [Unicode.Scalar]
  /// Code points before them.
  private let begin: Int

  init(_ item: TagInputs.Item, _ sequence: EncodedSequence) {
    begin = sequence.begin.points
    switch item {
    case .text(let text):
      let count = Int(sequence.words.last?.span.end ?? 0) - begin
      let start = text.utf8.index(text.startIndex, offsetBy: sequence.begin.bytes)
      scalars = Array(text.unicodeScalars[start...].prefix(max(0, count)))
    case .words(let list): scalars = Array(list.joined(separator: " ").unicodeScalars)
    }
  }

  func text(_ span: Range<Int>) -> String {
    var view = String.UnicodeScalarView()
    view.append(contentsOf: scalars[span.lowerBound - begin..<span.upperBound - begin])
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
