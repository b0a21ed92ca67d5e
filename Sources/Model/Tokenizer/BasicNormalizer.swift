/// BERT's basic tokeniser, one code point at a time: cleans, sets ideographs apart, strips accents,
/// lowers, and hands characters and word ends to a `PieceWriter`.
///
/// Every character remembers the code point that it came from. Where canonical ordering moves marks,
/// the reference deals the sources out again in order, and so does this.
struct BasicNormalizer {
  struct Options: Sendable, Hashable {
    var lowercase = true
    var stripAccents = true
    var spacesIdeographs = true
  }

  private let options: Options
  private let unicode = BertUnicode.shared

  /// The run of nonstarters that waits for its end, to be put in canonical order.
  private var run: [Mark] = []
  private var runIsOrdered = true
  /// Sources of the run's code points, those that a decomposition added left out.
  private var runSources: [Int32] = []
  private var parts: [UInt32] = []
  private var lastSource: Int32 = 0

  private struct Mark {
    var scalar: UInt32
    var combiningClass: UInt8
    /// Not the first of a decomposition: shares the source of what precedes it.
    var isAdded: Bool
  }

  init(_ options: Options) { self.options = options }

  mutating func append(_ scalar: UInt32, source: Int32, to writer: inout some CharacterSink) {
    let traits = unicode.traits(of: scalar)
    if traits.contains(.drop) { return }
    if traits.contains(.space) {
      endRun(writer: &writer)
      writer.space(source: source)
    } else if traits.contains(.ideograph), options.spacesIdeographs {
      endRun(writer: &writer)
      writer.space(source: source)
      decompose(scalar, traits, source: source, to: &writer)
      endRun(writer: &writer)
      writer.space(source: source)
    } else {
      decompose(scalar, traits, source: source, to: &writer)
    }
  }

  mutating func endPiece(writer: inout some CharacterSink) {
    endRun(writer: &writer)
    writer.endPiece()
  }

  /// Whatever follows is a starter.
  @inline(__always)
  mutating func endRun(writer: inout some CharacterSink) {
    if !run.isEmpty { flushRun(to: &writer) }
  }

  private mutating func decompose(
    _ scalar: UInt32, _ traits: BertUnicode.Traits, source: Int32,
    to writer: inout some CharacterSink
  ) {
    guard options.stripAccents else {
      lower(scalar, traits, source: source, to: &writer)
      return
    }
    guard traits.contains(.decomposes) else {
      order(scalar, traits, source: source, isAdded: false, to: &writer)
      return
    }
    parts.removeAll(keepingCapacity: true)
    unicode.decompose(scalar, into: &parts)
    for index in parts.indices {
      let part = parts[index]
      order(part, unicode.traits(of: part), source: source, isAdded: index > 0, to: &writer)
    }
  }

  private mutating func order(
    _ scalar: UInt32, _ traits: BertUnicode.Traits, source: Int32, isAdded: Bool,
    to writer: inout some CharacterSink
  ) {
    guard traits.contains(.nonstarter) else {
      endRun(writer: &writer)
      if !isAdded { lastSource = source }
      if !traits.contains(.mark) { lower(scalar, traits, source: lastSource, to: &writer) }
      return
    }
    let combiningClass = unicode.combiningClass(of: scalar)
    if let last = run.last, last.combiningClass > combiningClass { runIsOrdered = false }
    run.append(Mark(scalar: scalar, combiningClass: combiningClass, isAdded: isAdded))
    if !isAdded { runSources.append(source) }
  }

  private mutating func flushRun(to writer: inout some CharacterSink) {
    if !runIsOrdered { run = Self.ordered(run) }
    var used = 0
    for mark in run {
      if !mark.isAdded {
        lastSource = runSources[used]
        used += 1
      }
      let traits = unicode.traits(of: mark.scalar)
      if !traits.contains(.mark) { lower(mark.scalar, traits, source: lastSource, to: &writer) }
    }
    run.removeAll(keepingCapacity: true)
    runSources.removeAll(keepingCapacity: true)
    runIsOrdered = true
  }

  /// Stable by combining class, and linear: a run can be as long as the text.
  private static func ordered(_ run: [Mark]) -> [Mark] {
    var places = [Int](repeating: 0, count: 257)
    for mark in run { places[Int(mark.combiningClass) + 1] += 1 }
    for i in 1...256 { places[i] += places[i - 1] }
    var result = run
    for mark in run {
      result[places[Int(mark.combiningClass)]] = mark
      places[Int(mark.combiningClass)] += 1
    }
    return result
  }

  private func lower(
    _ scalar: UInt32, _ traits: BertUnicode.Traits, source: Int32,
    to writer: inout some CharacterSink
  ) {
    guard options.lowercase, traits.contains(.lowers) else {
      split(scalar, traits, source: source, to: &writer)
      return
    }
    let small = unicode.lowercase(of: scalar)
    split(small, unicode.traits(of: small), source: source, to: &writer)
    if scalar == 0x130 {
      split(0x307, unicode.traits(of: 0x307), source: source, to: &writer)
    }
  }

  private func split(
    _ scalar: UInt32, _ traits: BertUnicode.Traits, source: Int32,
    to writer: inout some CharacterSink
  ) {
    if traits.contains(.punctuation) {
      writer.mark(scalar, source: source)
    } else {
      writer.append(scalar, source: source)
    }
  }
}
