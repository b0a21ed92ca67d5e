internal import Compute

/// What one forward and backward pass over a packed batch works with.
struct TrainingRun {
  let backend: any TrainableBackend
  let sequences: any PlacedSequences
  let heads: Int
  let workspace: Workspace
  /// Whose adapters which rows meet: all rows, in order. One tenant but where many train at once.
  let tenants: [TenantRows]
  /// Hears a layer's number and the gradient at its query, key and value, and may add to it.
  var relate: ((_ layer: Int, _ dqkv: Tensor) throws(ComputeError) -> Void)?

  init(
    backend: any TrainableBackend, sequences: any PlacedSequences, heads: Int,
    workspace: Workspace, tenants: [TenantRows]
  ) {
    (self.backend, self.sequences, self.heads) = (backend, sequences, heads)
    (self.workspace, self.tenants) = (workspace, tenants)
  }

  init(
    backend: any TrainableBackend, sequences: any PlacedSequences, heads: Int,
    workspace: Workspace, dropout: Dropout
  ) {
    self.init(
      backend: backend, sequences: sequences, heads: heads, workspace: workspace,
      tenants: [TenantRows(tenant: 0, rows: 0..<sequences.layout.rows, dropout: dropout)])
  }

  /// A state, or the gradient of one.
  func take(_ rows: Int, _ columns: Int) -> Tensor {
    workspace.take(rows: rows, columns: columns, type: backend.activationType)
  }

  /// What stays fp32 on every device: a number a row, heads and their losses.
  func takeFloats(_ rows: Int, _ columns: Int) -> Tensor {
    workspace.take(rows: rows, columns: columns)
  }

  /// A map from x to y for every tenant; `parameters` gives weight and bias, or their gradients.
  func items(
    _ x: Tensor, _ y: Tensor, _ parameters: (Int) -> (weight: Tensor, bias: Tensor?)
  ) -> [LinearItem] {
    tenants.map { part in
      let (weight, bias) = parameters(part.tenant)
      return LinearItem(x: x.rows(part.rows), weight: weight, bias: bias, y: y.rows(part.rows))
    }
  }

  func drop(_ parts: [(x: Tensor, site: Dropout.Site)]) throws(ComputeError) {
    let items = parts.compactMap { x, site in
      site.probability > 0 ? DropoutItem(x, probability: site.probability, key: site.key) : nil
    }
    if !items.isEmpty { try backend.dropout(items) }
  }

  /// The same call on a gradient is its backward.
  func dropAdapterOutputs(_ x: Tensor, layer: Int, site: AdapterSite) throws(ComputeError) {
    try drop(tenants.map { (x.rows($0.rows), $0.dropout.site(layer: layer, site)) })
  }
}

/// Contiguous rows of a batch that belong to one vBERT in training, and what it drops of them.
struct TenantRows {
  let tenant: Int
  let rows: Range<Int>
  let dropout: Dropout
}

/// Which values are dropped: decided by (seed, step, site, element number) alone, so that a run can
/// be repeated, and backward draws again what forward drew instead of keeping masks.
package struct Dropout: Sendable {
  var seed: UInt64 = 0
  /// Which batch of the job.
  var step = 0
  /// On the adapters' outputs, and on the head's input.
  var adapter: Float = 0
  var head: Float = 0

  package static let none = Dropout()

  package init(seed: UInt64 = 0, step: Int = 0, adapter: Float = 0, head: Float = 0) {
    (self.seed, self.step, self.adapter, self.head) = (seed, step, adapter, head)
  }

  struct Site {
    let probability: Float
    let key: UInt64
  }

  func site(layer: Int, _ site: AdapterSite) -> Site {
    Site(probability: adapter, key: key(UInt64(2 * layer) + (site == .ffn ? 2 : 1)))
  }
  var headSite: Site { Site(probability: head, key: key(0)) }

  /// SplitMix64's finish over the three numbers.
  private func key(_ site: UInt64) -> UInt64 {
    var z = seed &+ 0x9E37_79B9_7F4A_7C15 &* (UInt64(step) << 16 | site &+ 1)
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
