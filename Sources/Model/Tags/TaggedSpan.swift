/// Words that are one entity.
package struct TaggedSpan: Sendable, Hashable {
  package let type: String
  /// By number, from 0.
  package let words: Range<Int>

  package init(type: String, words: Range<Int>) { (self.type, self.words) = (type, words) }

  /// Types are told apart by their bytes.
  package static func == (a: TaggedSpan, b: TaggedSpan) -> Bool {
    a.words == b.words && a.type.utf8.elementsEqual(b.type.utf8)
  }

  package func hash(into hasher: inout Hasher) {
    hasher.combine(words)
    for byte in type.utf8 { hasher.combine(byte) }
  }
}

extension TagScheme {
  /// The entities of a text's tags, in order: the one way from tags to entities, for measures and
  /// answers alike. Any tags will do; predicted ones need not be well-formed.
  package func spans(of tags: [String]) -> [TaggedSpan] {
    let readings = tags.map(read)
    return kind.isStrict ? Self.strict(readings) : lenient(readings, tags)
  }

  /// An entity is a single, or a begin with everything up to an end of the same type; what is marked
  /// otherwise is none (seqeval's strict mode).
  private static func strict(_ readings: [Reading]) -> [TaggedSpan] {
    var spans: [TaggedSpan] = []
    var open: (type: String, start: Int)?
    for (word, reading) in readings.enumerated() {
      guard case .part(let role, let type) = reading else {
        open = nil
        continue
      }
      switch role {
      case .single:
        spans.append(TaggedSpan(type: type, words: word..<word + 1))
        open = nil
      case .begin: open = (type, word)
      case .inside, .end:
        guard let begun = open, begun.type.utf8.elementsEqual(type.utf8) else {
          open = nil
          continue
        }
        if role == .end {
          spans.append(TaggedSpan(type: type, words: begun.start..<word + 1))
          open = nil
        }
      }
    }
    return spans
  }

  /// An entity begins at a begin or single, behind an end or single, and wherever the type is another
  /// than the word before's (conlleval, seqeval's default mode). A word that BIO cannot read is inside
  /// of its own type, since vBERTs that were trained on any tags at all still answer.
  private func lenient(_ readings: [Reading], _ tags: [String]) -> [TaggedSpan] {
    var spans: [TaggedSpan] = []
    var open: (type: String, start: Int)?
    func close(_ end: Int) {
      if let begun = open { spans.append(TaggedSpan(type: begun.type, words: begun.start..<end)) }
      open = nil
    }
    for (word, reading) in readings.enumerated() {
      let (role, type): (Role, String)
      switch reading {
      case .part(let found, let its): (role, type) = (found, its)
      case .unreadable where kind == .bio: (role, type) = (.inside, tags[word])
      case .outside, .unreadable:
        close(word)
        continue
      }
      let goesOn = open.map { $0.type.utf8.elementsEqual(type.utf8) } ?? false
      if role == .begin || role == .single || !goesOn { close(word) }
      if open == nil { open = (type, word) }
      if role == .end || role == .single { close(word + 1) }
    }
    close(readings.count)
    return spans
  }
}
