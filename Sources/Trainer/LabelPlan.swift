package import Model

/// Which labels a training gives a vBERT: those that were declared or learnt before, in their order, or
/// where there are none those of its rows. A value: rows in, labels or a refusal out.
package struct LabelPlan: Sendable {
  package let labels: LabelSet
  /// Labels of which there is no row.
  package let unseen: [String]

  /// `spec`: the vBERT's own. `isTrained`: it has a version, whose labels must all be learnt again.
  /// `startsAnew`: the rows' labels, whatever it had. Throws `DataSetError`.
  package init(
    _ data: DataSet, spec: VBertSpec, isTrained: Bool, startsAnew: Bool
  ) throws(DataSetError) {
    guard spec.task != .score else {
      (labels, unseen) = (LabelSet([]), [])
      return
    }
    guard !spec.labels.isEmpty, !startsAnew else {
      (labels, unseen) = (try LabelSet(of: data, task: spec.task), [])
      return
    }
    let known = LabelSet(spec.labels)
    for row in data.rows {
      for label in row.target?.labels ?? [] where known.number(label) == nil {
        throw .row(
          path: data.path, line: row.line, .unknownLabel(label, known: spec.labels))
      }
    }
    let found = LabelSet(try LabelSet.occurring(in: data))
    // A tagger's O needs no row.
    unseen = spec.labels.filter { label in
      found.number(label) == nil && !(spec.task == .tag && label == "O")
    }
    let before = LabelSet(spec.unseenLabels ?? [])
    let forgotten = isTrained ? unseen.filter { before.number($0) == nil } : []
    guard forgotten.isEmpty else {
      throw .forgets(path: data.path, labels: forgotten, of: spec.labels.count)
    }
    if spec.task == .classify, found.names.count < 2 {
      throw .tooFewLabels(path: data.path, count: found.names.count)
    }
    if spec.task == .tag, found.names == ["O"] { throw .untagged(path: data.path) }
    if found.names.isEmpty { throw .tooFewLabels(path: data.path, count: 0) }
    labels = known
  }
}
