package import Compute

/// What kind of adapter a vBERT has, written as users write it: `bottleneck:64`,
/// `bottleneck:64@both`, `lora:8`, `lora:8@query,key,value,output,up,down` or `lora:8@all`, `none`.
package enum AdapterSpec: Sendable, Hashable {
  case none
  /// `@attention` (the default, the reference system's place), `@ffn` or `@both`.
  case bottleneck(width: Int, sites: [AdapterSite])
  /// Default targets query and value; scale is alpha / rank with alpha = 2 rank unless `alpha=` is
  /// given: `lora:8:alpha=16@query,value`.
  case lora(rank: Int, alpha: Float, targets: [LowRankTarget])

  /// What a vBERT of that task gets when nobody says what (docs/accuracy.md).
  package static func standard(for task: VBertTask) -> AdapterSpec {
    switch task {
    case .embed: .none
    case .classify, .multilabel, .score, .tag:
      .lora(rank: 32, alpha: 64, targets: LowRankTarget.allCases)
    }
  }

  /// As users write what suits an embedder that is to be trained (docs/accuracy.md). Nobody gets it without
  /// asking: an embedder without an adapter answers at once.
  package static let forTrainedEmbedders: String = "lora:32@all"

  /// Widths and ranks above this are refused.
  package static let widest = 4096
  /// And a LoRA's alpha above this.
  package static let mostAlpha: Float = 65_536
}

extension AdapterSpec: CustomStringConvertible {
  package init(parsing text: String) throws(SpecError) {
    let parts = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
    let head = parts[0].split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    let places = parts.count > 1 ? parts[1].split(separator: ",").map(String.init) : []
    let wrong = SpecError.adapter(text)
    if text == "none" {
      self = .none
      return
    }
    guard head.count >= 2, let size = Int(head[1]), 1...AdapterSpec.widest ~= size else {
      throw wrong
    }
    switch head[0] {
    case "bottleneck" where head.count == 2:
      var sites: [AdapterSite] = []
      for place in places {
        guard let named = AdapterSpec.sites[place] else { throw wrong }
        sites += named
      }
      if parts.count == 1 { sites = [.attention] }
      guard !sites.isEmpty else { throw wrong }
      self = .bottleneck(width: size, sites: AdapterSite.allCases.filter(sites.contains))
    case "lora" where head.count <= 3:
      var alpha = Float(2 * size)
      if head.count == 3 {
        guard head[2].hasPrefix("alpha="), let given = Float(head[2].dropFirst(6)),
          given > 0, given <= Self.mostAlpha
        else { throw wrong }
        alpha = given
      }
      var targets: [LowRankTarget] = []
      for place in places where places != ["all"] {
        guard let target = LowRankTarget(name: place) else { throw wrong }
        targets.append(target)
      }
      if parts.count == 1 { targets = [.query, .value] }
      if places == ["all"] { targets = LowRankTarget.allCases }
      guard !targets.isEmpty else { throw wrong }
      self = .lora(
        rank: size, alpha: alpha, targets: LowRankTarget.allCases.filter(targets.contains))
    default: throw wrong
    }
  }

  package var description: String {
    switch self {
    case .none: "none"
    case .bottleneck(let width, let sites):
      "bottleneck:\(width)@\(sites.count == 2 ? "both" : sites[0].name)"
    case .lora(let rank, let alpha, let targets):
      "lora:\(rank):alpha=\(alpha)@\(targets.map(\.name).joined(separator: ","))"
    }
  }

  private static let sites: [String: [AdapterSite]] = [
    "attention": [.attention], "ffn": [.ffn], "both": AdapterSite.allCases,
  ]
}

extension AdapterSite {
  package var name: String {
    switch self {
    case .attention: "attention"
    case .ffn: "ffn"
    }
  }
}

extension LowRankTarget {
  package init?(name: String) {
    guard let found = LowRankTarget.allCases.first(where: { $0.name == name }) else { return nil }
    self = found
  }

  package var name: String {
    switch self {
    case .query: "query"
    case .key: "key"
    case .value: "value"
    case .output: "output"
    case .up: "up"
    case .down: "down"
    }
  }

  /// Columns in and out of the linear map that the LoRA goes beside.
  package func shape(_ configuration: Configuration) -> (inputs: Int, outputs: Int) {
    let (hidden, wide) = (configuration.hiddenSize, configuration.intermediateSize)
    return switch self {
    case .query, .key, .value, .output: (hidden, hidden)
    case .up: (hidden, wide)
    case .down: (wide, hidden)
    }
  }
}
