internal import Compute
package import Model

/// A data set as the encoder and the losses read it: token ids, and label numbers.
package struct Examples: Sendable {
  package private(set) var sequences: [TokenSequence] = []
  /// The target of each row.
  package private(set) var targets: [Target] = []
  /// For tagging: of each row the words' first tokens; -1 for a word without any (cut off, or of
  /// nothing but spaces).
  package private(set) var firstTokens: [[Int]] = []
  package private(set) var truncated = 0
  /// What an embedder's rows compare; nil for others.
  package private(set) var comparison: Comparison?
  /// Of each row the first of `sequences` after its own, where rows have more than one.
  private var ends: [Int] = []

  package enum Target: Sendable, Equatable {
    case none
    case label(Int32)
    case labels(Set<Int>)
    case score(Float)
    /// Of the words.
    case tags([Int32])
  }

  /// Tokenises and numbers all rows; too long ones are cut, and counted. Throws `DataSetError` for a label
  /// that is not in `labels`, and for a row that `RowReader` refuses.
  package init(
    _ data: DataSet, spec: VBertSpec, labels: LabelSet, tokenizer: WordPiece,
    base: Configuration
  ) throws(DataSetError) {
    sequences.reserveCapacity(data.rows.count)
    if spec.task == .embed { comparison = try data.comparison() }
    var reader = RowReader(spec: spec, tokenizer: tokenizer, base: base, cut: true)
    for row in data.rows {
      let (encoded, sequence) = try reader.read(row, of: data)
      sequences.append(sequence)
      var isCut = encoded.encoding.isTruncated
      for other in row.others {
        let (encoded, sequence) = try reader.read(DataRow(line: row.line, input: other), of: data)
        sequences.append(sequence)
        isCut = isCut || encoded.encoding.isTruncated
      }
      if comparison != nil { ends.append(sequences.count) }
      if isCut { truncated += 1 }
      if row.input.isWords { firstTokens.append(encoded.firstTokens.map { $0 ?? -1 }) }
      do { targets.append(try Examples.target(row.target, labels)) } catch {
        throw .row(path: data.path, line: row.line, error)
      }
    }
  }

  private static func target(_ target: DataRow.Target?, _ labels: LabelSet)
    throws(DataRowProblem) -> Target
  {
    func number(_ label: String) throws(DataRowProblem) -> Int32 {
      guard let number = labels.number(label) else {
        throw .unknownLabel(label, known: labels.names)
      }
      return number
    }
    switch target {
    case nil: return .none
    case .label(let label): return .label(try number(label))
    case .labels(let list):
      var numbers: Set<Int> = []
      for label in list { numbers.insert(Int(try number(label))) }
      return .labels(numbers)
    case .score(let score): return .score(Float(score))
    case .tags(let tags):
      var numbers: [Int32] = []
      for tag in tags { numbers.append(try number(tag)) }
      return .tags(numbers)
    }
  }

  /// Rows.
  package var count: Int { targets.count }
  package var tokens: Int { sequences.reduce(0) { $0 + $1.count } }

  /// A row's among `sequences`, which are neighbours: one, but for what an embedder compares.
  package func sequences(of row: Int) -> Range<Int> {
    guard !ends.isEmpty else { return row..<row + 1 }
    return (row == 0 ? 0 : ends[row - 1])..<ends[row]
  }

  package func sequences(of rows: [Int]) -> [Int] {
    ends.isEmpty ? rows : rows.flatMap { sequences(of: $0) }
  }

  /// Of each row its label; nil where rows have none, or several.
  package var labelClasses: [Int32]? {
    let classes = targets.compactMap { target -> Int32? in
      if case .label(let label) = target { return label }
      return nil
    }
    return classes.count == targets.count ? classes : nil
  }

  /// Of each row the first that reads the same; every row has one sequence. O(rows).
  var firstOfText: [Int] {
    var seen: [TokenSequence: Int] = [:]
    return sequences.indices.map { row in
      let first = seen[sequences[row]] ?? row
      if first == row { seen[sequences[row]] = row }
      return first
    }
  }

  /// Rows by number, and behind them texts of the labels from 0 on, as an embedder compares labelled texts.
  func compared(_ rows: [Int], names: [TokenSequence]) -> Examples {
    var part = self.rows(rows)
    part.comparison = .labels
    part.sequences += names
    part.targets += names.indices.map { .label(Int32($0)) }
    return part
  }

  /// With scores at mean 0 and variance 1; others as they are.
  var standardized: Examples {
    let scores = targets.compactMap { target -> Float? in
      if case .score(let score) = target { score } else { nil }
    }
    guard !scores.isEmpty else { return self }
    let unit = ScoreUnit(scores)
    var part = self
    part.targets = targets.map { target in
      if case .score(let score) = target { .score(unit.standard(score)) } else { target }
    }
    return part
  }

  package static let none = Examples()

  /// Rows by number.
  package func rows(_ numbers: [Int]) -> Examples {
    var part = Examples()
    part.sequences = sequences(of: numbers).map { sequences[$0] }
    part.comparison = comparison
    if !ends.isEmpty {
      for number in numbers {
        part.ends.append((part.ends.last ?? 0) + sequences(of: number).count)
      }
    }
    part.targets = numbers.map { targets[$0] }
    if !firstTokens.isEmpty { part.firstTokens = numbers.map { firstTokens[$0] } }
    return part
  }

  private init() {}
}

extension Examples {
  /// What a batch of rows should give, and the sum of its weights: the losses' divisor.
  func batch(_ rows: [Int], spec: VBertSpec, weights: [Float]?)
    -> (targets: AdapterTraining.Targets, weight: Double)
  {
    switch spec.task {
    // A step's rows are compared as one: see `TrainingJob.comparing`.
    case .embed: return (.scores([]), 1)
    case .classify, .tag:
      var labels: [Int32] = []
      for row in rows {
        switch targets[row] {
        case .label(let label): labels.append(label)
        case .tags(let tags): labels += tokenLabels(row, tags)
        default: labels.append(-1)
        }
      }
      let weight = labels.reduce(0.0) { sum, label in
        label < 0 ? sum : sum + Double(weights?[Int(label)] ?? 1)
      }
      return (.classes(labels, weights: weights), weight)
    case .multilabel:
      var values = [Float](repeating: 0, count: rows.count * spec.labels.count)
      for (place, row) in rows.enumerated() {
        guard case .labels(let labels) = targets[row] else { continue }
        for label in labels { values[place * spec.labels.count + label] = 1 }
      }
      return (.many(values, weights: weights), Double(values.count))
    case .score:
      let scores = rows.map { row -> Float in
        if case .score(let score) = targets[row] { return score }
        return 0
      }
      return (.scores(scores), Double(rows.count))
    }
  }

  /// A label a token: the word's at its first token, else none.
  private func tokenLabels(_ row: Int, _ tags: [Int32]) -> [Int32] {
    var labels = [Int32](repeating: -100, count: sequences[row].count)
    for (first, tag) in zip(firstTokens[row], tags) where first >= 0 { labels[first] = tag }
    return labels
  }

  /// Weights that make every class count the same: rows / (classes * rows of the class). For
  /// multilabel what the positive part is multiplied by: negatives / positives, at most 100.
  func balancedWeights(_ spec: VBertSpec) -> [Float]? {
    guard spec.task != .score, spec.task != .embed else { return nil }
    var counts = [Float](repeating: 0, count: spec.labels.count)
    for target in targets {
      switch target {
      case .label(let label): counts[Int(label)] += 1
      case .labels(let labels): for label in labels { counts[label] += 1 }
      case .tags(let tags): for tag in tags { counts[Int(tag)] += 1 }
      case .none, .score: break
      }
    }
    if spec.task == .multilabel {
      return counts.map { min(100, max(1, (Float(count) - $0) / max(1, $0))) }
    }
    let total = counts.reduce(0, +)
    let present = Float(counts.count { $0 > 0 })
    return counts.map { $0 > 0 ? total / (present * $0) : 0 }
  }
}
