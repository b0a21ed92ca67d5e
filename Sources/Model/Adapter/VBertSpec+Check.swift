extension VBertSpec {
  /// Most labels of one head, and most UTF-8 bytes of one label.
  package static let (mostLabels, longestLabel) = (10_000, 256)

  /// Throws unless a base of this shape can serve this specification. Labels may still be missing:
  /// training finds them in its data.
  package func check(base: Configuration) throws(SpecProblem) {
    try checkLength(base: base)
    guard task.outputs(labels: 2) == 2 || labels.isEmpty else { throw .noLabels(task) }
    guard task == .tag || tagScheme == nil else { throw .noTags(task) }
    if let dimensions {
      guard task == .embed, !dimensions.isEmpty,
        dimensions.allSatisfy({ 1...base.hiddenSize ~= $0 })
      else { throw .dimensions(dimensions.map { "\($0)" }.joined(separator: ", ")) }
    }
    guard labels.count <= Self.mostLabels else { throw .tooManyLabels(labels.count) }
    if task == .classify && labels.count == 1 { throw .oneLabel }
    // By canonical form, which is what two Strings are compared by.
    var seen: Set<String> = []
    for label in labels {
      guard 1...Self.longestLabel ~= label.utf8.count else { throw .labelLength(label) }
      let (isNew, twin) = seen.insert(label)
      guard isNew else {
        throw twin.utf8.elementsEqual(label.utf8) ? .labelTwice(label) : .canonicalTwins(label)
      }
    }
  }
}

extension VBertSpec {
  /// The part of it that a request depends on before the parameters are loaded. O(1).
  package func checkLength(base: Configuration) throws(SpecProblem) {
    guard 3...base.maxPositions ~= maxLength else {
      throw .maxLength(maxLength, most: base.maxPositions)
    }
  }
}

/// Why a specification makes no sense.
package enum SpecProblem: Error, Equatable, CustomStringConvertible {
  case maxLength(Int, most: Int)
  case noLabels(VBertTask)
  case noTags(VBertTask)
  /// Of an embedder's vectors.
  case dimensions(String)
  case oneLabel
  case tooManyLabels(Int)
  case labelLength(String)
  case labelTwice(String)
  case canonicalTwins(String)
  /// A version that nobody could tell the answers of.
  case untold

  package var description: String {
    switch self {
    case .maxLength(let length, let most):
      "a maximum length of \(length) tokens is not possible; this base takes 3 to \(most)"
    case .noLabels(let task): "task \(task.rawValue) has no labels; leave them out"
    case .noTags(let task): "task \(task.rawValue) has no tags; leave the tag scheme out"
    case .dimensions(let sizes):
      "vectors of [\(sizes.prefix(40))] values are not possible; an embedder on this base has some from 1 to its "
        + "hidden size"
    case .oneLabel: "task classify needs two labels or more; use multilabel to detect a single one"
    case .tooManyLabels(let count): "\(count) labels; at most \(VBertSpec.mostLabels) are possible"
    case .labelLength(let label):
      "the label \"\(label.prefix(40))\" has \(label.utf8.count) bytes; "
        + "a label has 1 to \(VBertSpec.longestLabel)"
    case .canonicalTwins(let label):
      "the label \"\(label.prefix(40))\" is there composed and decomposed; write it in one way"
    case .untold: "it says no labels"
    case .labelTwice(let label): "the label \"\(label.prefix(40))\" is there twice"
    }
  }
}
