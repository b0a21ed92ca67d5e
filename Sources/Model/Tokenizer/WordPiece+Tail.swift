extension WordPiece {
  /// The last tokens of a text.
  package struct Tail: Sendable {
    fileprivate(set) var ids: [Int32] = []
    /// In code points of the whole text.
    fileprivate(set) var spans: [TextSpan] = []
    /// Whether the text has tokens before these.
    package fileprivate(set) var isCut = false
  }

  /// The last `most` tokens of a text: those that stay when all of it is read and the first ones are let
  /// go.
  ///
  /// Reads from the end in stretches that begin where nothing waits for what follows, so that a stretch's
  /// tokens are those that it has in the whole text; no byte is read twice. What is passed over is looked
  /// at only to count its code points. `check` is called between pieces of work well under a millisecond.
  package func tail<Failure: Error>(
    _ text: String, most: Int, check: () throws(Failure) -> Void
  ) throws(Failure) -> Tail {
    let bytes = text.utf8.span
    // From the last to the first: its tokens, and how many code points it has.
    var stretches: [(writer: PieceWriter, points: Int32)] = []
    var count = 0
    var end = bytes.count
    while end > 0, count <= most {
      let start = try boundary(bytes, upTo: end - min(end, Self.stretch(most)), check: check)
      var scan = Scan(options, at: start)
      var writer = PieceWriter(trie: trie, unknown: unknown, limit: .max)
      while scan.place < end {
        self.scan(bytes, &scan, to: min(end, scan.place + TokenReader.stride), into: &writer)
        writer.drop(before: most)
        try check()
      }
      self.end(&scan, &writer)
      count += writer.count
      stretches.append((writer, scan.source))
      end = start
    }
    var tail = Tail()
    tail.isCut = count > most
    var place = codePoints(bytes, before: end)
    for (writer, points) in stretches.reversed() {
      tail.ids += writer.ids
      tail.spans += writer.spans.map { TextSpan(start: $0.start + place, end: $0.end + place) }
      place += points
    }
    tail.ids.removeFirst(max(0, tail.ids.count - most))
    tail.spans.removeFirst(max(0, tail.spans.count - most))
    return tail
  }

  /// Bytes of a stretch that has so many tokens, mostly.
  private static func stretch(_ tokens: Int) -> Int {
    tokens < TokenReader.stride / 8 ? 256 + 6 * tokens : TokenReader.stride
  }

  /// The last boundary that is not beyond `place`; 0 is one.
  private func boundary<Failure: Error>(
    _ text: Span<UInt8>, upTo place: Int, check: () throws(Failure) -> Void
  ) throws(Failure) -> Int {
    var place = place
    while place > 0, !isBoundary(text, place) {
      place -= 1
      if place % TokenReader.stride == 0 { try check() }
    }
    return place
  }

  /// Whether the tokens behind `place` are the same whatever stands before it: no word and no marks wait
  /// there, and no special token reaches over it. Says no where that is not plain to see.
  func isBoundary(_ text: Span<UInt8>, _ place: Int) -> Bool {
    guard place > 0, place < text.count else { return true }
    let (last, next) = (text[place - 1], text[place])
    guard next & 0xC0 != 0x80 else { return false }
    // A token with spaces may reach over any place, or take in what stands there.
    guard !takesSpace, !normalizedTokens.holdSpaces else { return false }
    let isClean =
      if !normalizedTokens.isEmpty {
        // Without spaces in them they end at one.
        last < 0x80 && ascii[Int(last)] == 1
      } else if last < 0x80, ascii[Int(last)] == 1 {
        true
      } else if next < 0x80 {
        ascii[Int(next)] == 1 || ascii[Int(next)] == 2
      } else {
        standsApart(text.scalar(at: place).0)
      }
    guard isClean else { return false }
    for start in max(0, place - longestSpecial + 1)..<place where beginsSpecial[Int(text[start])] {
      if let special = trie.longest(text, from: start, to: text.count, root: Self.specialRoot),
        special.end > place
      {
        return false
      }
    }
    return true
  }

  /// Whether a code point beyond ASCII ends the word, and the marks, before it.
  private func standsApart(_ scalar: UInt32) -> Bool {
    let traits = BertUnicode.shared.traits(of: scalar)
    if traits.contains(.drop) { return false }
    if traits.contains(.space) { return true }
    if traits.contains(.ideograph), options.spacesIdeographs { return true }
    return traits == .punctuation
  }
}

/// How many code points begin before `place`.
package func codePoints(_ text: Span<UInt8>, before place: Int) -> Int32 {
  var count: Int32 = 0
  for i in 0..<place where text[i] & 0xC0 != 0x80 { count &+= 1 }
  return count
}
