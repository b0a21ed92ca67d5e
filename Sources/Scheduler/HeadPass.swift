internal import Compute
internal import Model

/// From final states to outputs: all heads of one kind in one grouped operation, whatever the mix of
/// vBERTs.
struct HeadPass {
  let part: BatchPart
  /// [rows, hidden].
  let states: Tensor
  let sequences: any PlacedSequences
  let backend: any Backend
  let space: Workspace

  /// Outputs of the sequences whose vBERTs pool in this way, in their order.
  func pooled(_ pooling: Pooling) throws(ComputeError) -> [Reply.Output] {
    let runs = part.runs.filter { $0.vbert.spec.task != .tag && $0.vbert.spec.pooling == pooling }
    guard !runs.isEmpty else { return [] }
    let pooled = take(rows: sequences.layout.count, columns: states.columns)
    try backend.pool(states, sequences: sequences, pooling: pooling, into: pooled)
    let headed = runs.filter { $0.vbert.spec.task != .embed }
    let width = HeadPass.width(headed)
    let logits =
      headed.isEmpty
      ? [] : try heads(of: headed.map { ($0, $0.sequences) }, over: pooled, width: width)
    let vectors = headed.count == runs.count ? [] : try download(pooled)

    var outputs: [Reply.Output] = []
    for run in runs {
      let (task, labels) = (run.vbert.spec.task, run.vbert.spec.labels.count)
      for i in run.sequences {
        switch task {
        case .embed:
          let hidden = states.columns
          outputs.append(.vector(Array(vectors[i * hidden..<(i + 1) * hidden])))
        case .score: outputs.append(.score(logits[i * width]))
        case .classify, .multilabel, .tag:
          outputs.append(.logits(Array(logits[i * width..<i * width + labels])))
        }
      }
    }
    return outputs
  }

  /// Outputs of the sequences whose heads read tokens; they are the last ones, and of these the last
  /// read them at norm 1.
  func tagged() throws(ComputeError) -> [Reply.Output] {
    let runs = part.runs.filter { $0.vbert.spec.task == .tag }
    let divided = runs.drop { $0.vbert.spec.pooling != .normalizedMean }
    return try tagged(runs.prefix(divided.startIndex), atNormOne: false)
      + tagged(divided, atNormOne: true)
  }

  private func tagged(
    _ runs: ArraySlice<BatchPart.Run>, atNormOne: Bool
  ) throws(ComputeError) -> [Reply.Output] {
    guard let first = runs.first, let last = runs.last else { return [] }
    let read = part.rows(of: first).lowerBound..<part.rows(of: last).upperBound
    var x = states.rows(read)
    if atNormOne {
      let divided = take(rows: x.rows, columns: x.columns)
      try backend.divideByNorms(x, into: divided)
      x = divided
    }
    let width = HeadPass.width(runs)
    let logits = try heads(
      of: runs.map { run in
        let rows = part.rows(of: run)
        return (run, rows.lowerBound - read.lowerBound..<rows.upperBound - read.lowerBound)
      }, over: x, width: width)

    var outputs: [Reply.Output] = []
    for run in runs {
      let labels = run.vbert.spec.labels.count
      for i in run.sequences {
        let rows = sequences.layout.rows(of: i)
        outputs.append(
          .words(
            part.works[i].request.words.map { place in
              guard let place, place < rows.count else { return [] }
              let row = (rows.lowerBound - read.lowerBound + place) * width
              return Array(logits[row..<row + labels])
            }))
      }
    }
    return outputs
  }

  /// Head outputs [x's rows, width] on the host; rows of no head are undefined.
  private func heads(
    of runs: [(BatchPart.Run, rows: Range<Int>)], over x: Tensor, width: Int
  ) throws(ComputeError) -> [Float] {
    let groups = try backend.place(runs.map { RowGroup(rows: $0.rows, adapter: $0.0.adapter) })
    let out = take(rows: x.rows, columns: width)
    try backend.applyHeads(x, groups: groups, into: out)
    return try download(out)
  }

  /// Sums end in fp32 on every device: in bf16 close labels would tie.
  private func take(rows: Int, columns: Int) -> Tensor {
    space.take(rows: rows, columns: columns)
  }

  private func download(_ tensor: Tensor) throws(ComputeError) -> [Float] {
    var values = [Float](repeating: 0, count: tensor.count)
    try unsafe values.withUnsafeMutableBufferPointer { values throws(ComputeError) in
      unsafe try backend.download(tensor, into: values)
    }
    return values
  }

  /// Columns for the widest head.
  private static func width(_ runs: some Sequence<BatchPart.Run>) -> Int {
    runs.reduce(1) { max($0, $1.vbert.spec.task.outputs(labels: $1.vbert.spec.labels.count)) }
  }

  /// For pooled states and head outputs of all ways of pooling, and of the tokens.
  static func workspaceBytes(for part: BatchPart) -> Int {
    let layout = part.packed.layout
    let hidden = part.engine.model.configuration.hiddenSize
    let width = width(part.runs)
    let ways = Pooling.allCases.count
    let divides = part.runs.contains {
      $0.vbert.spec.task == .tag && $0.vbert.spec.pooling == .normalizedMean
    }
    return ways * Workspace.bytes(rows: layout.count, columns: hidden)
      + ways * Workspace.bytes(rows: layout.count, columns: width)
      + 2 * Workspace.bytes(rows: layout.rows, columns: width)
      + (divides ? Workspace.bytes(rows: layout.rows, columns: hidden) : 0)
  }
}
