package import Compute
internal import Model

/// Finds heads, many at once: every round computes all problems' losses and gradients in shared calls. Each
/// takes the steps that it takes alone.
package struct HeadFit {
  private let backend: any TrainableBackend
  /// Bytes of outputs and parameters that are on the device at once.
  private let byteLimit: Int

  /// What is taken at once, if one problem does not take more.
  static let mostBytes = 128 << 20

  package init(_ backend: any TrainableBackend, byteLimit: Int = HeadFit.mostBytes) {
    (self.backend, self.byteLimit) = (backend, byteLimit)
  }

  /// In their order. `report` hears how many are found. Throws what the backend throws.
  package func solve(
    _ problems: [HeadProblem], report: (Int) -> Void = { _ in }
  ) throws(ComputeError) -> [HeadSolution] {
    var (solutions, first): ([HeadSolution], Int) = ([], 0)
    while first < problems.count {
      var (end, bytes) = (first, 0)
      while end < problems.count, end == first || bytes + Self.bytes(problems[end]) <= byteLimit {
        bytes += Self.bytes(problems[end])
        end += 1
      }
      solutions += try HeadRounds(Array(problems[first..<end]), backend).run {
        report(first + $0)
      }
      first = end
    }
    return solutions
  }

  private static func bytes(_ problem: HeadProblem) -> Int {
    // Outputs and their gradients; parameters, theirs, and what a search remembers.
    8 * problem.outputs * problem.features.rows
      + 4 * 24 * problem.outputs * (problem.features.hidden + 1)
  }
}

/// The problems that are on the device at once.
private final class HeadRounds {
  private let problems: [HeadProblem]
  private let backend: any TrainableBackend
  private let values, gradients, outputs, losses: TensorStore
  /// Scores' targets.
  private let targets: TensorStore
  private var searches: [LimitedMemory]
  /// Of scores, which are learnt at mean 0 and variance 1.
  private let units: [ScoreUnit]

  init(_ problems: [HeadProblem], _ backend: any TrainableBackend) throws(ComputeError) {
    (self.problems, self.backend) = (problems, backend)
    var shapes: [(String, [Int])] = []
    var out: [(String, [Int])] = []
    for (i, p) in problems.enumerated() {
      shapes += [("\(i).weight", [p.outputs, p.features.hidden]), ("\(i).bias", [p.outputs])]
      out += [
        ("\(i).logits", [p.features.rows, p.outputs]), ("\(i).d", [p.features.rows, p.outputs]),
      ]
    }
    values = try TensorStore(shapes, backend: backend)
    gradients = try TensorStore(shapes, backend: backend)
    outputs = try TensorStore(out, backend: backend)
    losses = try TensorStore([("losses", [problems.count])], backend: backend)
    units = problems.map { problem in
      if case .scores(let list) = problem.targets { ScoreUnit(list) } else { ScoreUnit([]) }
    }
    let scored = problems.enumerated().filter {
      if case .scores = $1.targets { true } else { false }
    }
    targets = try TensorStore(
      scored.map { ("\($0.offset)", [$0.element.features.rows, 1]) }, backend: backend)
    searches = problems.map {
      LimitedMemory(start: [Float](repeating: 0, count: $0.outputs * ($0.features.hidden + 1)))
    }
    for (i, problem) in problems.enumerated() {
      guard case .scores(let list) = problem.targets, let wanted = targets["\(i)"] else { continue }
      try backend.upload(list.map(units[i].standard), to: wanted)
    }
  }

  func run(report: (Int) -> Void) throws(ComputeError) -> [HeadSolution] {
    while true {
      let open = problems.indices.filter { !searches[$0].isDone }
      report(problems.count - open.count)
      guard !open.isEmpty else { break }
      try round(open)
    }
    return problems.indices.map { i in
      let (problem, point) = (problems[i], searches[i].point)
      let count = problem.outputs * problem.features.hidden
      var solution = problem.features.restored(
        Array(point[..<count]), Array(point[count...]))
      if case .scores = problem.targets {
        Vector.scale(&solution.weight, by: Double(units[i].deviation))
        solution.bias = solution.bias.map { $0 * units[i].deviation + units[i].mean }
      }
      return solution
    }
  }

  private func tensor(_ store: TensorStore, _ i: Int, _ part: String) -> Tensor {
    guard let tensor = store["\(i).\(part)"] else { preconditionFailure("no \(part) of \(i)") }
    return tensor
  }

  private func round(_ open: [Int]) throws(ComputeError) {
    for i in open {
      let (problem, point) = (problems[i], searches[i].point)
      let count = problem.outputs * problem.features.hidden
      try backend.upload(Array(point[..<count]), to: tensor(values, i, "weight"))
      try backend.upload(Array(point[count...]), to: tensor(values, i, "bias"))
    }
    try backend.fill(gradients.flat, with: 0)
    try backend.fill(losses.flat, with: 0)
    try backend.linear(items(open, values, "logits"), scale: 1, adding: false)
    try addLosses(open)
    try backend.linearParameterGradient(items(open, gradients, "d"), scale: 1)
    let found = try backend.download(losses.flat)
    for i in open {
      let problem = problems[i]
      let count = problem.outputs * problem.features.hidden
      var gradient = try backend.download(tensor(gradients, i, "weight"))
      gradient += try backend.download(tensor(gradients, i, "bias"))
      var weight = searches[i].point
      for bias in count..<weight.count { weight[bias] = 0 }
      Vector.add(1, weight, to: &gradient)
      searches[i].tell(
        value: Double(found[i]) + Vector.dot(weight, weight) / 2, gradient: gradient)
    }
  }

  private func items(_ open: [Int], _ parameters: TensorStore, _ out: String) -> [LinearItem] {
    open.map { i in
      LinearItem(
        x: problems[i].features.tensor, weight: tensor(parameters, i, "weight"),
        bias: tensor(parameters, i, "bias"), y: tensor(outputs, i, out))
    }
  }

  private func addLosses(_ open: [Int]) throws(ComputeError) {
    var softmax: [SoftmaxItem] = []
    for i in open {
      let problem = problems[i]
      let (logits, d) = (tensor(outputs, i, "logits"), tensor(outputs, i, "d"))
      let value = losses.flat.columns(i..<i + 1)
      switch problem.targets {
      case .classes(let labels):
        softmax.append(
          SoftmaxItem(
            logits: logits, labels: labels, weights: nil, share: problem.strength, into: d,
            addingTo: value))
      case .many(let wanted):
        try backend.binaryLoss(
          logits, targets: wanted, weights: nil, share: problem.strength, into: d,
          addingTo: value)
      case .scores:
        guard let wanted = targets["\(i)"] else { preconditionFailure("no targets of \(i)") }
        try backend.squaredLoss(
          logits, targets: wanted, share: problem.strength, into: d, addingTo: value)
      }
    }
    if !softmax.isEmpty { try backend.softmaxLoss(softmax) }
  }
}
