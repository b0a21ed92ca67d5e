import Model

/// How lines become the sequences that a student learns from.
package struct TextMix: Sendable, Equatable, Codable {
  /// Share of the lines that become pairs: a line with its neighbour, with any other, with a damaged
  /// copy of itself, or its two halves. Lines that are pairs already stay so.
  package var pairs = 0.5
  /// Share of the sequences in which n-grams are replaced by what stands in for them where a table
  /// lacks them: (none, x1, x2) or (none, x1, none).
  package var backOff = 0.2
  /// Longest sequence in tokens.
  package var maxLength = 128

  package init() {}

  /// Of the pairs.
  static let kinds: [(PairKind, upTo: Float)] = [
    (.copy, 0.4), (.neighbour, 0.6), (.other, 0.8), (.halves, 1),
  ]

  enum PairKind { case copy, neighbour, other, halves }
}

/// Makes sequences of a round's tokenised lines. All chance comes from one generator.
struct SequenceMaker {
  private var mix: TextMix
  private let classification, separator: Int32
  private let model: Configuration
  var random: SplitMix

  /// What `model` reads: no pairs are made for one that reads none.
  init(
    _ mix: TextMix, classification: Int32, separator: Int32, model: Configuration,
    random: SplitMix
  ) {
    (self.mix, self.model, self.random) = (mix, model, random)
    (self.classification, self.separator) = (classification, separator)
    if !model.readsPairs { self.mix.pairs = 0 }
  }

  init(_ mix: TextMix, _ tokenizer: any Tokenizer, model: Configuration, random: SplitMix) {
    self.init(
      mix, classification: tokenizer.classification, separator: tokenizer.separator,
      model: model, random: random)
  }

  private var special: SpecialTokens { model.architecture.special }

  /// Tokens of a pair, and of one text, besides those added.
  private var pairRoom: Int { mix.maxLength - 2 - special.pairSeparators }
  private var room: Int { mix.maxLength - 2 }

  /// A sequence for every line of `runs` (neighbouring lines' tokens) that has tokens, in random
  /// order. Throws `TokenProblem` for what the model cannot read.
  mutating func sequences(_ runs: [[[Int32]]]) throws(TokenProblem) -> [TokenSequence] {
    let places = runs.indices.flatMap { run in
      runs[run].indices.compactMap { runs[run][$0].isEmpty ? nil : (run: run, line: $0) }
    }
    return try random.permutation(places.count).map { number throws(TokenProblem) in
      let place = places[number]
      let line = runs[place.run][place.line]
      if let (first, second) = parts(line) { return try pair(first, second) }
      guard Double(random.nextFloat()) < mix.pairs else { return try single(line) }
      let draw = random.nextFloat()
      switch TextMix.kinds.first(where: { draw < $0.upTo })?.0 ?? .halves {
      case .copy:
        let other = places[random.below(places.count)]
        return try pair(line, damaged(line, with: text(runs[other.run][other.line])))
      case .neighbour:
        let run = runs[place.run]
        let next = run[(place.line + 1) % run.count]
        return try next.isEmpty ? single(line) : pair(line, text(next))
      case .other:
        let other = places[random.below(places.count)]
        return try pair(line, text(runs[other.run][other.line]))
      case .halves:
        guard line.count >= 4 else { return try single(line) }
        let kept = window(line, pairRoom)
        let cut = kept.startIndex + kept.count / 4 + random.below(kept.count / 2)
        return try joined(
          kept[..<max(cut, kept.startIndex + 1)], kept[max(cut, kept.startIndex + 1)...])
      }
    }
  }

  func plain(_ line: [Int32]) throws(TokenProblem) -> TokenSequence {
    guard let (first, second) = parts(line) else {
      return try joined(line.prefix(room), nil)
    }
    let room = pairRoom / 2
    return try joined(first.prefix(room), second.prefix(room))
  }

  /// The two texts of a line that is a pair.
  private func parts(_ line: [Int32]) -> ([Int32], [Int32])? {
    line.firstIndex(of: separator).map { (Array(line[..<$0]), Array(line[($0 + 1)...])) }
  }

  /// A line as one text: the first of a pair.
  private func text(_ line: [Int32]) -> [Int32] { parts(line)?.0 ?? line }

  private mutating func single(_ line: [Int32]) throws(TokenProblem) -> TokenSequence {
    try joined(window(line, room), nil)
  }

  private mutating func pair(
    _ first: [Int32], _ second: [Int32]
  ) throws(TokenProblem) -> TokenSequence {
    let room = pairRoom
    // The shorter one keeps what it has, the longer one gets the rest.
    let short = min(first.count, second.count, room / 2)
    let rest = room - short
    return try joined(
      window(first, first.count <= second.count ? max(1, short) : rest),
      window(second, first.count <= second.count ? rest : max(1, short)))
  }

  /// At most `room` tokens, from anywhere in the line.
  private mutating func window(_ line: [Int32], _ room: Int) -> ArraySlice<Int32> {
    guard line.count > room else { return line[...] }
    let first = random.below(line.count - room + 1)
    return line[first..<first + room]
  }

  /// A copy with some tokens left out, replaced by another line's, or swapped with the next.
  private mutating func damaged(_ line: [Int32], with other: [Int32]) -> [Int32] {
    let strength = 0.3 * random.nextFloat()
    var copy: [Int32] = []
    for token in line {
      let draw = random.nextFloat()
      if draw < strength / 3 { continue }
      if draw < 2 * strength / 3 {
        copy.append(other[random.below(other.count)])
      } else if draw < strength, let last = copy.popLast() {
        copy += [token, last]
      } else {
        copy.append(token)
      }
    }
    return copy.isEmpty ? line : copy
  }

  private func joined(
    _ first: ArraySlice<Int32>, _ second: ArraySlice<Int32>?
  ) throws(TokenProblem) -> TokenSequence {
    var ids = [classification]
    ids.reserveCapacity(first.count + (second?.count ?? 0) + 4)
    ids += first
    ids.append(separator)
    var types = [Int32](repeating: 0, count: ids.count)
    if let second {
      ids += repeatElement(separator, count: special.pairSeparators - 1)
      ids += second
      ids.append(separator)
      types += repeatElement(special.numbersSegments ? 1 : 0, count: ids.count - types.count)
    }
    return try TokenSequence(ids: ids, types: types, for: model)
  }
}

extension SplitMix {
  /// In 0 ..< count.
  mutating func below(_ count: Int) -> Int {
    Int(next().multipliedFullWidth(by: UInt64(count)).high)
  }
}
