internal import Compute

/// One transformer layer on a device, its norms where `Architecture.NormPlacement.post` has them.
struct Layer: Sendable {
  /// Its number in the base model.
  let number: Int
  /// [3 hidden, hidden]: query, key and value in one product.
  let queryKeyValue: any Matrix
  let output: any Matrix
  let attentionNorm: Normalization
  let up: any Matrix
  let down: any Matrix
  let outputNorm: Normalization

  /// Reads `encoder.layer.<number>.*` and prepares it. What the local layers compute is kept in
  /// tables and must not depend on how a lane computes: they are never reduced.
  init(
    number: Int, source: any TensorSource, configuration: Configuration, parameters: Parameters,
    backend: any Backend
  ) throws {
    let (hidden, wide) = (configuration.hiddenSize, configuration.intermediateSize)
    let name = "encoder.layer.\(number)"
    func prepare(_ matrix: HostMatrix) throws -> any Matrix {
      number < configuration.skipDepth
        ? try backend.prepare(matrix) : try backend.prepareReduced(matrix)
    }
    func matrix(_ part: String, _ outputs: Int, _ inputs: Int) throws -> any Matrix {
      let (w, b) = try source.linear("\(name).\(part)", outputs: outputs, inputs: inputs)
      return try prepare(HostMatrix(weight: w, bias: b, outputs: outputs, inputs: inputs))
    }
    func norm(_ part: String) throws -> Normalization {
      Normalization(
        gamma: try parameters.row("\(name).\(part).weight"),
        beta: try parameters.row("\(name).\(part).bias"),
        epsilon: configuration.layerNormEpsilon)
    }
    var stacked: (w: [Float], b: [Float]) = ([], [])
    for part in ["query", "key", "value"] {
      let (w, b) = try source.linear(
        "\(name).attention.self.\(part)", outputs: hidden, inputs: hidden)
      stacked.w += w
      stacked.b += b
    }
    self.number = number
    queryKeyValue = try prepare(
      HostMatrix(weight: stacked.w, bias: stacked.b, outputs: 3 * hidden, inputs: hidden))
    output = try matrix("attention.output.dense", hidden, hidden)
    attentionNorm = try norm("attention.output.LayerNorm")
    up = try matrix("intermediate.dense", wide, hidden)
    down = try matrix("output.dense", hidden, wide)
    outputNorm = try norm("output.LayerNorm")
  }
}

extension Layer {
  /// What one batch needs besides its states.
  struct Batch {
    let backend: any Backend
    let sequences: any PlacedSequences
    /// nil: no row has an adapter.
    var groups: (any PlacedGroups)?
    let heads: Int
    /// As `BaseModel.bias`.
    let bias: Tensor?
    let workspace: Workspace
  }

  /// Runs the layer on x [rows, hidden], in place; `workspace` is as full afterwards as before.
  func run(_ x: Tensor, _ batch: Batch) throws(ComputeError) {
    let mark = batch.workspace.mark
    defer { batch.workspace.reset(to: mark) }
    let context = try attend(x, batch)
    try complete(context, residual: x, into: x, batch)
  }

  /// `run` for the first row of every sequence alone: everything behind attention is left out for the
  /// others, whose states nobody reads. x is used up; its first rows become the result
  /// [sequences, hidden]. `groups`: who the sequences belong to, one row each.
  func runFirstRows(_ x: Tensor, _ batch: Batch, groups: (any PlacedGroups)?)
    throws(ComputeError) -> Tensor
  {
    let mark = batch.workspace.mark
    defer { batch.workspace.reset(to: mark) }
    let context = try attend(x, batch)
    let count = batch.sequences.layout.count
    func firstRows(_ from: Tensor) throws(ComputeError) -> Tensor {
      let rows = batch.workspace.take(rows: count, columns: x.columns, type: x.type)
      try batch.backend.pool(from, sequences: batch.sequences, pooling: .cls, into: rows)
      return rows
    }
    let (attended, residual) = (try firstRows(context), try firstRows(x))
    var own = batch
    own.groups = groups
    let out = x.rows(0..<count)
    try complete(attended, residual: residual, into: out, own)
    return out
  }

  /// What every row takes from its sequence [rows, hidden], in the workspace.
  private func attend(_ x: Tensor, _ batch: Batch) throws(ComputeError) -> Tensor {
    let (backend, hidden) = (batch.backend, x.columns)
    let context = batch.workspace.take(rows: x.rows, columns: hidden, type: x.type)
    let mark = batch.workspace.mark
    defer { batch.workspace.reset(to: mark) }
    let qkv = batch.workspace.take(rows: x.rows, columns: 3 * hidden, type: x.type)
    try backend.matmul(x, queryKeyValue, activation: .none, into: qkv)
    for (part, target) in [LowRankTarget.query, .key, .value].enumerated() {
      try addLowRank(x, target, into: qkv.columns(part * hidden..<(part + 1) * hidden), batch)
    }
    try backend.attention(
      qkv, sequences: batch.sequences, heads: batch.heads, bias: batch.bias, into: context)
    return context
  }

  /// From attention's output to the layer's; `out` may be `residual`.
  private func complete(
    _ context: Tensor, residual: Tensor, into out: Tensor, _ batch: Batch
  ) throws(ComputeError) {
    let backend = batch.backend
    func scratch(_ columns: Int) -> Tensor {
      batch.workspace.take(rows: context.rows, columns: columns, type: context.type)
    }
    let attended = scratch(context.columns)
    try close(
      context, output, .output, residual: residual, attentionNorm, .attention, into: attended,
      batch)

    let wide = scratch(up.outputs)
    if batch.groups?.hasLowRank(layer: number, target: .up) == true {
      try backend.matmul(attended, up, activation: .none, into: wide)
      try addLowRank(attended, .up, into: wide, batch)
      try backend.applyGELU(wide)
    } else {
      try backend.matmul(attended, up, activation: .gelu, into: wide)
    }
    try close(wide, down, .down, residual: attended, outputNorm, .ffn, into: out, batch)
  }

  /// The end of either half: product, residual, LayerNorm, and the adapters that sit there.
  private func close(
    _ x: Tensor, _ matrix: any Matrix, _ target: LowRankTarget, residual: Tensor,
    _ norm: Normalization, _ site: AdapterSite, into out: Tensor, _ batch: Batch
  ) throws(ComputeError) {
    let backend = batch.backend
    guard let groups = batch.groups, groups.hasLowRank(layer: number, target: target) else {
      return try backend.matmulAddNorm(
        x, matrix, residual: residual, norm: norm, groups: batch.groups, layer: number, site: site,
        into: out)
    }
    try backend.matmul(x, matrix, activation: .none, into: out)
    try backend.addLowRanks(x, groups: groups, layer: number, target: target, into: out)
    try backend.addNorm(
      out, residual: residual, norm: norm, groups: groups, layer: number, site: site, into: out)
  }

  private func addLowRank(
    _ x: Tensor, _ target: LowRankTarget, into out: Tensor, _ batch: Batch
  ) throws(ComputeError) {
    guard let groups = batch.groups, groups.hasLowRank(layer: number, target: target) else {
      return
    }
    try batch.backend.addLowRanks(x, groups: groups, layer: number, target: target, into: out)
  }

  /// Workspace bytes that a layer needs for `rows` rows: attention's output; then its input, or the
  /// other half and (`runFirstRows`) the rows that are left.
  static func workspaceBytes(rows: Int, configuration: Configuration, type: ElementType) -> Int {
    let hidden = configuration.hiddenSize
    return [hidden, hidden, hidden, hidden, configuration.intermediateSize].reduce(0) {
      $0 + Workspace.bytes(rows: rows, columns: $1, type: type)
    }
  }
}
