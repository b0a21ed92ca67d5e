import Compute
import Model

/// How near a student is to its teacher on lines that it does not learn from.
struct DistillationMeasure {
  private let batches: [PackedBatch]

  init(_ sequences: [TokenSequence], budget: Int) {
    let numbers = Array(sequences.indices)
    batches = Batches.pack(numbers, lengths: sequences.map(\.count), budget: budget).map {
      PackedBatch(sequences: $0.map { sequences[$0] })
    }
  }

  /// The states' loss and the mean cosine of the last states, over all tokens.
  func run(teacher: Teacher, student: BaseTraining, loss: DistillationLoss)
    throws(ComputeError) -> (loss: Double, cosine: Double)
  {
    let counter = try LossCounter(student.backend)
    var (sum, cosines, tokens) = (0.0, 0.0, 0)
    for batch in batches {
      let lesson = try teacher.teach(batch, depth: student.configuration.skipDepth)
      let rows = batch.layout.rows
      let ours = try student.withStates(of: batch) { seen throws(ComputeError) in
        try loss.states(seen, lesson, addingTo: counter.value)
        return try student.backend.download(seen.states[seen.states.count - 1])
      }
      let theirs = try student.backend.download(lesson.states[lesson.states.count - 1])
      sum += try counter.take() * Double(rows)
      cosines += DistillationMeasure.cosines(ours, theirs, rows: rows)
      tokens += rows
    }
    return (sum / Double(max(1, tokens)), cosines / Double(max(1, tokens)))
  }

  /// Of the teacher's values at each place that a student of skip depth `depth` is held to.
  func variances(of teacher: Teacher, depth: Int, backend: any TrainableBackend)
    throws(ComputeError) -> [Double]
  {
    var sums: [(count: Double, sum: Double, squares: Double)] = []
    for batch in batches {
      for (place, state) in try teacher.teach(batch, depth: depth).states.enumerated() {
        if sums.count <= place { sums.append((0, 0, 0)) }
        for value in try backend.download(state) {
          sums[place].sum += Double(value)
          sums[place].squares += Double(value) * Double(value)
        }
        sums[place].count += Double(state.count)
      }
    }
    return sums.map { $0.squares / $0.count - ($0.sum / $0.count) * ($0.sum / $0.count) }
  }

  /// Sum over rows of the cosine between a's and b's.
  private static func cosines(_ a: [Float], _ b: [Float], rows: Int) -> Double {
    let columns = a.count / max(1, rows)
    var sum = 0.0
    for r in 0..<rows {
      var (ab, aa, bb): (Float, Float, Float) = (0, 0, 0)
      for c in r * columns..<(r + 1) * columns {
        ab += a[c] * b[c]
        aa += a[c] * a[c]
        bb += b[c] * b[c]
      }
      sum += Double(ab / max(1e-20, (aa * bb).squareRoot()))
    }
    return sum
  }
}

/// Losses added up on the device, so that no step waits for its own.
struct LossCounter {
  private let backend: any TrainableBackend
  private let store: TensorStore

  init(_ backend: any TrainableBackend) throws(ComputeError) {
    self.backend = backend
    store = try TensorStore([("loss", [1])], backend: backend)
  }

  /// [1, 1].
  var value: Tensor { store.flat.columns(0..<1) }

  /// The sum since the last call, once all that was asked for is done.
  func take() throws(ComputeError) -> Double {
    let sum = try backend.download(value)[0]
    try backend.fill(value, with: 0)
    return Double(sum)
  }
}
