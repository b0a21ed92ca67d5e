package import Compute

/// What a vBERT answers.
package enum VBertTask: String, Sendable, Hashable, Codable, CaseIterable {
  /// One label of several: softmax over the head's outputs.
  case classify
  /// Any number of labels: a sigmoid an output.
  case multilabel
  /// A label a word, read at the word's first sub-token.
  case tag
  /// The pooled state itself, divided by its L2 norm; no head.
  case embed
  /// One number: regression, or the relevance of a pair.
  case score

  /// Outputs of the head; 0 for none.
  package func outputs(labels: Int) -> Int {
    switch self {
    case .classify, .multilabel, .tag: labels
    case .embed: 0
    case .score: 1
    }
  }
}

/// What one text of a vBERT is.
package enum InputKind: String, Sendable, Hashable, Codable {
  case text, pair
}

/// Everything that says what a vBERT is, but for its trained numbers.
package struct VBertSpec: Sendable, Hashable, Codable {
  package var task: VBertTask
  /// Name of the base in the store, and the content hash that it had when the vBERT was made.
  package var base: String
  package var baseHash: String
  package var domain: String?
  /// As `AdapterSpec` prints it.
  package var adapter: AdapterSpec
  /// What training may give it, where a version has no adapter because its head alone was as good.
  package var offered: AdapterSpec?
  package var pooling: Pooling
  /// Label names in the order of the head's outputs; for tag the tags as given. Empty until trained.
  package var labels: [String]
  /// Those of them that training had no row of; nil for none.
  package var unseenLabels: [String]?
  /// What it learnt from; nil where its rows were of both kinds, or nobody noted it.
  package var input: InputKind?
  /// Longest input in tokens, special tokens included.
  package var maxLength: Int
  /// How a tagger's labels say which words are one entity, as its training data told; nil before that,
  /// and in vBERTs of before, whose labels tell: see `tags`.
  package var tagScheme: TagScheme?
  /// Sizes that an embedder's vectors were trained to be cut to, the largest first; nil: nobody chose any.
  package var dimensions: [Int]?
  /// The scores that an embedder learnt from; nil where it learnt from none.
  package var scores: ScoreRange?

  package init(
    task: VBertTask, base: String, baseHash: String, domain: String? = nil, adapter: AdapterSpec,
    pooling: Pooling = .mean, labels: [String] = [], maxLength: Int = 128,
    tagScheme: TagScheme? = nil
  ) {
    self.task = task
    self.base = base
    self.baseHash = baseHash
    self.domain = domain
    self.adapter = adapter
    self.pooling = pooling
    self.labels = labels
    self.maxLength = maxLength
    self.tagScheme = tagScheme
  }

  /// The scheme of a tagger's labels. O(labels) where it is told by these.
  package var tags: TagScheme { tagScheme ?? TagScheme(labels: labels) }

  /// As it was created, before training on few rows left the adapter out or divided states by their norms.
  package var asCreated: VBertSpec {
    var spec = self
    (spec.adapter, spec.offered) = (offered ?? adapter, nil)
    if pooling == .normalizedMean { spec.pooling = .mean }
    return spec
  }

  /// Whether its head reads the first state of a sequence and no other.
  package var readsFirstRowAlone: Bool { pooling == .cls && task != .tag }
}

extension AdapterSpec: Codable {
  package init(from decoder: any Decoder) throws {
    try self.init(parsing: decoder.singleValueContainer().decode(String.self))
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}

extension Pooling: Codable {
  package init(from decoder: any Decoder) throws {
    try self.init(parsing: decoder.singleValueContainer().decode(String.self))
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(name)
  }

  package init(parsing text: String) throws(SpecError) {
    switch text {
    case "mean": self = .mean
    case "cls": self = .cls
    case "mean-normalized": self = .normalizedMean
    default: throw .pooling(text)
    }
  }

  package var name: String {
    switch self {
    case .mean: "mean"
    case .cls: "cls"
    case .normalizedMean: "mean-normalized"
    }
  }
}

/// What can be wrong with a written specification.
package enum SpecError: Error, Equatable, CustomStringConvertible {
  case adapter(String)
  case pooling(String)
  case tagScheme(String)

  package var description: String {
    switch self {
    case .adapter(let text):
      """
      adapter "\(text)" is not understood; examples: bottleneck:64, bottleneck:64@both, \
      lora:8, lora:8:alpha=16@query,value, none
      """
    case .tagScheme(let text):
      "tag scheme \"\(text.prefix(40))\" is not understood; examples: bio, bioes, bilou:TYPE-X, plain"
    case .pooling(let text):
      "pooling \"\(text)\" is not understood; use mean or cls"
    }
  }
}
