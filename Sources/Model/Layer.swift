internal import Compute

/// One transformer layer on a device: post-LayerNorm blocks, as BERT has them (Devlin 2018).
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
    let groups: (any PlacedGroups)?
    let heads: Int
    let workspace: Workspace
  }

  /// Runs the layer on x [rows, hidden], in place; `workspace` is as full afterwards as before.
  func run(_ x: Tensor, _ batch: Batch) throws(ComputeError) {
    let backend = batch.backend
    let mark = batch.workspace.mark
    defer { batch.workspace.reset(to: mark) }
    let hidden = x.columns
    func scratch(_ columns: Int) -> Tensor {
      batch.workspace.take(rows: x.rows, columns: columns, type: x.type)
    }

    let qkv = scratch(3 * hidden)
    try backend.matmul(x, queryKeyValue, activation: .none, into: qkv)
    for (part, target) in [LowRankTarget.query, .key, .value].enumerated() {
      try addLowRank(x, target, into: qkv.columns(part * hidden..<(part + 1) * hidden), batch)
    }
    let context = scratch(hidden)
    try backend.attention(qkv, sequences: batch.sequences, heads: batch.heads, into: context)

    let attended = scratch(hidden)
    try close(
      context, output, .output, residual: x, attentionNorm, .attention, into: attended, batch)

    let wide = scratch(up.outputs)
    if batch.groups?.hasLowRank(layer: number, target: .up) == true {
      try backend.matmul(attended, up, activation: .none, into: wide)
      try addLowRank(attended, .up, into: wide, batch)
      try backend.applyGELU(wide)
    } else {
      try backend.matmul(attended, up, activation: .gelu, into: wide)
    }
    try close(wide, down, .down, residual: attended, outputNorm, .ffn, into: x, batch)
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

  /// Workspace bytes that `run` needs for `rows` rows.
  static func workspaceBytes(rows: Int, configuration: Configuration, type: ElementType) -> Int {
    let hidden = configuration.hiddenSize
    return [3 * hidden, hidden, hidden, configuration.intermediateSize].reduce(0) {
      $0 + Workspace.bytes(rows: rows, columns: $1, type: type)
    }
  }
}
