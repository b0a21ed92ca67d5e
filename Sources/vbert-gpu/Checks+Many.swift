import Compute
import GPUBench

extension Checks {
  /// Maps and losses of many vBERTs at once, of different sizes.
  func many() {
    let sizes: [(rows: Int, outputs: Int)] = [(1, 64), (350, 64), (65, 3), (64, 150), (7, 1)]
    for floats in [false, true] {
      compareParts("maps of many\(floats ? ", fp32 states" : "")") { r, backend in
        let inputs = 384
        func state(_ rows: Int, _ columns: Int) throws -> Tensor {
          let values = r.noise(rows * columns)
          return floats
            ? try r.floats(values, columns: columns) : try r.state(values, columns: columns)
        }
        let maps = try sizes.map { size in
          LinearItem(
            x: try state(size.rows, inputs),
            weight: try r.floats(r.noise(size.outputs * inputs, scale: 0.1), columns: inputs),
            bias: try r.floats(r.noise(size.outputs), columns: size.outputs),
            y: try state(size.rows, size.outputs))
        }
        func read(_ tensors: [Tensor]) throws -> [Float] { try tensors.flatMap { try r.read($0) } }
        var gradients = maps
        for i in maps.indices {
          let (outputs, count) = (sizes[i].outputs, sizes[i].outputs * inputs)
          gradients[i].weight = try r.floats(r.noise(count), columns: inputs)
          gradients[i].bias = try r.floats(r.noise(outputs), columns: outputs)
        }
        try backend.linear(maps)
        let out = try read(maps.map(\.y))
        try backend.linearParameterGradient(gradients)
        try backend.linearInputGradient(maps, adding: true)
        let added = try read(maps.map(\.x))
        try backend.linearInputGradient(maps, adding: false)
        return [
          ("out", out), ("dx added", added), ("dx", try read(maps.map(\.x))),
          ("dw", try read(gradients.map(\.weight))), ("db", try read(gradients.compactMap(\.bias))),
        ]
      }
    }
    compareParts("softmax losses of many") { r, backend in
      let items = try sizes.map { rows, classes in
        SoftmaxItem(
          logits: try r.floats(r.noise(rows * classes, scale: 4), columns: classes),
          labels: (0..<rows).map { $0 % 7 == 3 ? -100 : Int32($0 % classes) },
          weights: classes == 3 ? [0.5, 2, 1] : nil, share: 1 / Double(rows),
          into: try r.floats([Float](repeating: .nan, count: rows * classes), columns: classes))
      }
      let values = try r.floats(r.noise(items.count), columns: items.count)
      try backend.softmaxLoss(items, addingTo: values)
      return [("values", try r.read(values)), ("d", try items.flatMap { try r.read($0.d) })]
    }
  }
}
