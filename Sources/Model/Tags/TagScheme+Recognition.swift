extension TagScheme {
  /// The scheme of a file's tags, told by all of its rows. Throws `TagProblem` where they are not of
  /// one: then the scheme that most rows are written in, and the rows that are not.
  ///
  /// O(words), some passes over numbers. Schemes that read every row equally are told apart so: marks
  /// before plain types, fewer types before more, the earlier of `TagForm.all`. Where no row is of any, the
  /// one that knows most words says what is wrong.
  package init(of rows: [TaggedRow]) throws(TagProblem) {
    let table = TagTable(rows)
    let candidates = Self.candidates(table)
    /// Rows that it reads, and their words; of none the words that it knows.
    func score(_ candidate: TagCandidate) -> (rows: Int, words: Int) {
      let read = table.rows.reduce(into: (rows: 0, words: 0)) { sum, row in
        if candidate.fault(row) == nil { sum = (sum.rows + 1, sum.words + row.count) }
      }
      guard read.rows == 0 else { return read }
      return (0, table.rows.reduce(0) { $0 + $1.count(where: candidate.reads) })
    }
    var best = candidates[0]
    var bestScore = score(best)
    for candidate in candidates.dropFirst() {
      let score = score(candidate)
      let isFewer =
        best.scheme.kind.hasMarks && candidate.types < best.types
        && candidate.scheme.kind.hasMarks
      if score > bestScore || score == bestScore && isFewer {
        (best, bestScore) = (candidate, score)
      }
    }
    guard bestScore.rows == table.rows.count else {
      throw TagProblem(best, table, rows: bestScore.rows)
    }
    self = best.scheme
    if kind == .bio, isIOB1(rows) { kind = .iob1 }
  }

  /// What the labels of a head say, where it is not known otherwise: the scheme that reads all of them
  /// (BIO for IOB1, whose labels are the same), and BIO where none does.
  package init(labels: [String]) {
    let table = TagTable(labels.enumerated().map { TaggedRow(line: $0 + 1, tags: [$1]) })
    let best = Self.candidates(table).filter { candidate in
      table.names.indices.allSatisfy(candidate.reads)
    }.min { a, b in
      (a.scheme.kind.hasMarks ? 0 : 1, a.types) < (b.scheme.kind.hasMarks ? 0 : 1, b.types)
    }
    self = best?.scheme ?? TagScheme(.bio)
  }

  /// In the order in which equals are taken.
  private static func candidates(_ table: TagTable) -> [TagCandidate] {
    let kinds: [Kind] = [.bio, .bioes, .bilou, .bmes, .bmew, .bios, .ioe]
    let forms = TagForm.all.filter { form in
      table.names.contains { form.split($0).map { TagForm.marks.contains($0.letter) } ?? false }
    }
    let marked = forms.flatMap { form in kinds.compactMap { TagCandidate($0, form, table) } }
    let evidence = MarkEvidence(table, hasOutside: table.hasOutside)
    return marked + [TagCandidate(plain: table, evidence)]
  }

  /// Whether an I begins an entity somewhere, and a B nowhere but right behind one of its type.
  private func isIOB1(_ rows: [TaggedRow]) -> Bool {
    var begins = false
    for row in rows {
      var before: String?
      for tag in row.tags {
        guard case .part(let role, let type) = read(tag) else {
          before = nil
          continue
        }
        let isBehind = before?.utf8.elementsEqual(type.utf8) ?? false
        if role == .begin, !isBehind { return false }
        if role == .inside, !isBehind { begins = true }
        before = type
      }
    }
    return begins
  }

  /// Throws `TagProblem` for rows with a tag that is not of this scheme; one of `labels` always is.
  /// Tags need not be well-formed: what they are compared with may not be either.
  package func check(_ rows: [TaggedRow], labels: [String]) throws(TagProblem) {
    let table = TagTable(rows)
    let known = Set(labels.compactMap(table.number))
    let evidence = MarkEvidence(table, hasOutside: kind == .plain)
    let wrong = table.names.indices.map { number -> TagProblem.Fault.Kind? in
      let name = table.names[number]
      if kind == .units, name.utf8.elementsEqual("O".utf8) { return .outside }
      if known.contains(number) { return nil }
      if kind.hasMarks { return read(name) == .unreadable ? .foreign : nil }
      return evidence.marked.contains(number) ? .marked : nil
    }
    guard wrong.contains(where: { $0 != nil }) else { return }
    throw TagProblem(self, isGiven: true, rows: 0, table) { row in
      for (word, tag) in row.enumerated() { if let kind = wrong[tag] { return (word, kind) } }
      return nil
    }
  }
}

extension TagScheme.Kind {
  package var hasMarks: Bool { !letters.isEmpty }
}

extension TagProblem {
  fileprivate init(_ best: TagCandidate, _ table: TagTable, rows: Int) {
    self.init(best.scheme, isGiven: false, rows: rows, table, fault: best.fault)
  }

  fileprivate init(
    _ scheme: TagScheme, isGiven: Bool, rows: Int, _ table: TagTable,
    fault: ([Int]) -> (word: Int, kind: Fault.Kind)?
  ) {
    (self.scheme, self.isGiven, self.rows) = (scheme, isGiven, rows)
    (faults, count) = ([], 0)
    for (row, line) in zip(table.rows, table.lines) {
      guard let found = fault(row) else { continue }
      count += 1
      guard faults.count < Self.mostFaults else { continue }
      faults.append(
        Fault(
          line: line, word: found.word + 1, tag: table.names[row[found.word]], kind: found.kind))
    }
  }
}
