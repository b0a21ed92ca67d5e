internal import Files
internal import Foundation
package import Model
package import Trainer

/// A task's rows as everybody who is compared gets them.
package struct AccuracyRows: Sendable {
  /// What a vBERT of the task is; base and adapter are filled in.
  package let spec: VBertSpec
  package let train, dev, test: Examples
  /// What the labels are called, as texts.
  package let names: [TokenSequence]

  /// At most so many rows of each; 0: all.
  package struct Caps: Sendable, Equatable {
    package var train = 4000
    package var dev = 1000
    package var test = 0

    package init() {}
  }

  /// Rows beyond the caps are left out by a fixed draw, the same for everybody. Labels are those of
  /// all training rows; rows of dev and test with others are left out. Throws `DataSetError`.
  package init(
    _ task: AccuracyTask, caps: Caps, maxLength: Int, tokenizer: WordPiece,
    base: Configuration
  ) throws {
    let kind = try task.task()
    func read(_ part: String) throws -> DataSet? {
      try task.file(part).map { try DataSet(path: $0, task: kind, labelled: true) }
    }
    guard var train = try read("train"), var test = try read("test") else {
      throw AccuracyError.noTasks(task.directory.filePath)
    }
    let labels = kind == .score ? LabelSet([]) : try LabelSet(of: train, task: kind)
    var spec = VBertSpec(
      task: kind, base: "", baseHash: "", adapter: .none, labels: labels.names,
      maxLength: maxLength, tagScheme: kind == .tag ? try train.tagScheme() : nil)
    spec.input = train.inputKind
    var dev =
      try read("dev") ?? DataSet(path: train.path, rows: AccuracyRows.some(train.rows, of: 0, 500))
    try dev.checkTags(spec)
    try test.checkTags(spec)
    func known(_ row: DataRow) -> Bool {
      row.target?.labels.allSatisfy { labels.number($0) != nil } ?? true
    }
    dev.rows = dev.rows.filter(known)
    test.rows = test.rows.filter(known)
    train.rows = AccuracyRows.some(train.rows, of: 1, caps.train)
    dev.rows = AccuracyRows.some(dev.rows, of: 2, caps.dev)
    test.rows = AccuracyRows.some(test.rows, of: 3, caps.test)
    func examples(_ data: DataSet) throws -> Examples {
      try Examples(data, spec: spec, labels: labels, tokenizer: tokenizer, base: base)
    }
    self.spec = spec
    names = FewRows.names(spec, tokenizer: tokenizer, base: base)
    (self.train, self.dev, self.test) = (
      try examples(train), try examples(dev), try examples(test)
    )
  }

  private static func some(_ rows: [DataRow], of draw: UInt64, _ count: Int) -> [DataRow] {
    guard count > 0, rows.count > count else { return rows }
    var random = SplitMix(seed: draw)
    return random.permutation(rows.count).prefix(count).sorted().map { rows[$0] }
  }
}
