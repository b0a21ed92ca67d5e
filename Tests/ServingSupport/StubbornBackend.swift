package import Compute
internal import ComputeCPU
internal import Foundation
internal import Synchronization

/// A CPU lane whose device fails, or hangs, as long as it is told to: in `place`, which every batch asks
/// for first.
package final class StubbornBackend: Backend {
  package enum Mood: Sendable { case well, hangs, fails }
  private let lane: CPUBackend
  private let state = Mutex(Mood.well)

  package init() throws { lane = try CPUBackend(threads: 1) }

  package var mood: Mood {
    get { state.withLock { $0 } }
    set { state.withLock { $0 = newValue } }
  }

  package var name: String { lane.name }
  package var activationType: ElementType { lane.activationType }

  package func place(_ layout: SequenceLayout) throws(ComputeError) -> any PlacedSequences {
    while mood == .hangs { Thread.sleep(forTimeInterval: 0.001) }
    if mood == .fails { throw .device("it fell off the bus") }
    return try lane.place(layout)
  }

  package func allocate(byteCount: Int) throws(ComputeError) -> DeviceBuffer {
    try lane.allocate(byteCount: byteCount)
  }
  package func upload(_ values: UnsafeBufferPointer<Float>, to tensor: Tensor) throws(ComputeError)
  {
    unsafe try lane.upload(values, to: tensor)
  }
  package func download(_ tensor: Tensor, into values: UnsafeMutableBufferPointer<Float>)
    throws(ComputeError)
  {
    unsafe try lane.download(tensor, into: values)
  }
  package func prepare(_ matrix: HostMatrix) throws(ComputeError) -> any Matrix {
    try lane.prepare(matrix)
  }
  package func load(_ adapter: HostAdapter) throws(ComputeError) -> any ResidentAdapter {
    try lane.load(adapter)
  }
  package func place(_ groups: [RowGroup]) throws(ComputeError) -> any PlacedGroups {
    try lane.place(groups)
  }
  package func embed(
    ids: Indices, positions: Indices, types: Indices, tables: EmbeddingTables,
    norm: Normalization, into out: Tensor
  ) throws(ComputeError) {
    try lane.embed(
      ids: ids, positions: positions, types: types, tables: tables, norm: norm, into: out)
  }
  package func mergeNGrams(
    _ rows: [NGramRow], sequences: any PlacedSequences, into out: Tensor
  ) throws(ComputeError) {
    try lane.mergeNGrams(rows, sequences: sequences, into: out)
  }
  package func addPositions(
    to x: Tensor, types: Indices, sequences: any PlacedSequences, tables: EmbeddingTables,
    norm: Normalization
  ) throws(ComputeError) {
    try lane.addPositions(to: x, types: types, sequences: sequences, tables: tables, norm: norm)
  }
  package func applyGate(_ x: Tensor, gate: Tensor, bias: Float) throws(ComputeError) {
    try lane.applyGate(x, gate: gate, bias: bias)
  }
  package func matmul(
    _ x: Tensor, _ matrix: any Matrix, activation: Activation, into out: Tensor
  ) throws(ComputeError) {
    try lane.matmul(x, matrix, activation: activation, into: out)
  }
  package func applyGELU(_ x: Tensor) throws(ComputeError) { try lane.applyGELU(x) }
  package func attention(
    _ qkv: Tensor, sequences: any PlacedSequences, heads: Int, bias: Tensor?, into out: Tensor
  ) throws(ComputeError) {
    try lane.attention(qkv, sequences: sequences, heads: heads, bias: bias, into: out)
  }
  package func addNorm(
    _ x: Tensor, residual: Tensor, norm: Normalization, into out: Tensor
  ) throws(ComputeError) {
    try lane.addNorm(x, residual: residual, norm: norm, into: out)
  }
  package func applyBottlenecks(
    _ x: Tensor, groups: any PlacedGroups, layer: Int, site: AdapterSite
  ) throws(ComputeError) {
    try lane.applyBottlenecks(x, groups: groups, layer: layer, site: site)
  }
  package func addLowRanks(
    _ x: Tensor, groups: any PlacedGroups, layer: Int, target: LowRankTarget, into out: Tensor
  ) throws(ComputeError) {
    try lane.addLowRanks(x, groups: groups, layer: layer, target: target, into: out)
  }
  package func pool(
    _ x: Tensor, sequences: any PlacedSequences, pooling: Pooling, into out: Tensor
  ) throws(ComputeError) {
    try lane.pool(x, sequences: sequences, pooling: pooling, into: out)
  }
  package func applyHeads(
    _ x: Tensor, groups: any PlacedGroups, into out: Tensor
  ) throws(ComputeError) {
    try lane.applyHeads(x, groups: groups, into: out)
  }
}
