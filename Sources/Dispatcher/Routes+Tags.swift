internal import Model
internal import Scheduler

extension Dispatcher {
  /// Entities in the shape of Hugging Face's token classification.
  @Sendable func tag(_ body: TagBody, _ caller: Caller) async throws -> Outcome {
    let vbert = try await find(body.vbertName, caller, tasks: [.tag])
    return try await entities(
      vbert, body.inputs.items, isSingle: body.inputs.isSingle, body.tagging, body.reading, caller)
  }

  /// Offsets are code points of the text; of given words, of these joined by single spaces.
  func entities(
    _ vbert: PinnedVBert, _ items: [TextInput], isSingle: Bool,
    _ tagging: Tagging, _ reading: Reading, _ caller: Caller
  ) async throws -> Outcome {
    let (answer, write) = try await tagged(vbert, items, tagging, reading, caller)
    return Outcome(JSONItems(items.count, isSingle: isSingle, item: write), answer.fields)
  }

  /// The answer, and what writes the entities of one of its texts.
  func tagged(
    _ vbert: PinnedVBert, _ items: [TextInput], _ tagging: Tagging, _ reading: Reading,
    _ caller: Caller
  ) async throws -> (Answer, @Sendable (Int, inout JSONWriter) -> Void) {
    let answer = try await ask(vbert, items, reading, caller, places: tagging.places)
    let scheme = vbert.spec.tags
    let write = { @Sendable (index: Int, writer: inout JSONWriter) in
      let sequence = answer.sequences[index]
      let text = TextWindow(items[index], sequence)
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
    return (answer, write)
  }
}

extension JSONWriter {
  fileprivate mutating func entity(
    _ kind: String, _ type: String, _ score: Float, _ span: Range<Int>, in text: TextWindow
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
