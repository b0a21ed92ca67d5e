package import Model

/// In which order the requests of a list are trained, whatever order they have in it: those of one base and
/// domain one after the other, of them those that have one kind of adapter, and of these as they are listed.
/// The same for the same list.
package struct TrainingOrder {
  /// Where a vBERT's states come from. A base that was replaced is another one.
  package struct Source: Hashable, Sendable {
    package let base, hash: String
    package let domain: String?

    package init(_ spec: VBertSpec) {
      (base, hash, domain) = (spec.base, spec.baseHash, spec.domain)
    }

    fileprivate var key: [String] { [base, domain ?? "", hash] }
  }

  package struct Group {
    package let source: Source
    /// To open the source with: it stands for all of them, so it has nothing that is one's own.
    package let spec: VBertSpec
    package let places: [Int]
  }

  private var sources: [Source: VBertSpec] = [:]
  private var numbers: [Source: Int] = [:]
  private var kinds: [AdapterTraining.Kind: Int] = [:]
  private var members: [(source: Int, kind: Int, place: Int)] = []

  package init() {}

  /// A request's place in the list, and its vBERT.
  package mutating func add(_ place: Int, _ spec: VBertSpec) {
    let source = Source(spec)
    if sources[source] == nil {
      var shared = spec
      (shared.labels, shared.maxLength) = ([], 3)
      sources[source] = shared
      numbers[source] = numbers.count
    }
    let kind = AdapterTraining.Kind(spec)
    let number = kinds[kind] ?? kinds.count
    kinds[kind] = number
    members.append((numbers[source] ?? 0, number, place))
  }

  package var groups: [Group] {
    let sorted = members.sorted { ($0.source, $0.kind, $0.place) < ($1.source, $1.kind, $1.place) }
    return sources.sorted { $0.key.key.lexicographicallyPrecedes($1.key.key) }.map { source, spec in
      let number = numbers[source]
      return Group(
        source: source, spec: spec,
        places: sorted.lazy.filter { $0.source == number }.map(\.place))
    }
  }
}
