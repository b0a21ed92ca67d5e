import Compute
import GPUBench

extension Checks {
  /// Maps and losses of many vBERTs at once, of different sizes.
  func many() {
    let sizes: [(rows: Int, outputs: Int)] = [(1, 64), (350, 64), (65, 3), (64, 150), (7, 1)]
    for (name, floatX, floatY) in [
      ("", false, false), (", fp32 heads", true, true), (", heads on tokens", false, true),
    ] {
      compareParts("maps of many\(name)") { r, backend in
        let inputs = 384
        func state(_ rows: Int, _ columns: Int, _ floats: Bool) throws -> Tensor {
          let values = r.noise(rows * columns)
          return floats
            ? try r.floats(values, columns: columns) : try r.state(values, columns: columns)
        }
        let maps = try sizes.map { size in
          LinearItem(
            x: try state(size.rows, inputs, floatX),
            weight: try r.floats(r.noise(size.outputs * inputs, scale: 0.1), columns: inputs),
            bias: try r.floats(r.noise(size.outputs), columns: size.outputs),
            y: try state(size.rows, size.outputs, floatY))
        }
        func read(_ tensors: [Tensor]) throws -> [Float] { try tensors.flatMap { try r.read($0) } }
        var gradients = maps
        for i in maps.indices {
          let (outputs, count) = (sizes[i].outputs, sizes[i].outputs * inputs)
          gradients[i].weight = try r.floats(r.noise(count), columns: inputs)
          gradients[i].bias = try r.floats(r.noise(outputs), columns: outputs)
        }
        try backend.linear(maps, scale: 1, adding: false)
        let out = try read(maps.map(\.y))
        try backend.linearParameterGradient(gradients, scale: 0.5)
        try backend.linearInputGradient(maps, scale: 0.5, adding: true)
        let added = try read(maps.map(\.x))
        try backend.linearInputGradient(maps, scale: 1, adding: false)
        return [
          ("out", out), ("dx added", added), ("dx", try read(maps.map(\.x))),
          ("dw", try read(gradients.map(\.weight))), ("db", try read(gradients.compactMap(\.bias))),
        ]
      }
    }
    compareParts("softmax losses of many") { r, backend in
      let values = try r.floats(r.noise(sizes.count), columns: sizes.count)
      let items = try sizes.enumerated().map { i, size in
        let (rows, classes) = size
        return SoftmaxItem(
          logits: try r.floats(r.noise(rows * classes, scale: 4), columns: classes),
          labels: (0..<rows).map { $0 % 7 == 3 ? -100 : Int32($0 % classes) },
          weights: classes == 3 ? [0.5, 2, 1] : nil, share: 1 / Double(rows),
          into: try r.floats([Float](repeating: .nan, count: rows * classes), columns: classes),
          addingTo: values.columns(i..<i + 1))
      }
      try backend.softmaxLoss(items)
      return [("values", try r.read(values)), ("d", try items.flatMap { try r.read($0.d) })]
    }
    for floats in [false, true] {
      compareParts("dropout of many\(floats ? ", fp32" : "")") { r, backend in
        let items = try sizes.enumerated().map { i, size in
          let values = r.noise(size.rows * 77)
          return DropoutItem(
            floats ? try r.floats(values, columns: 77) : try r.state(values, columns: 77),
            probability: i == 1 ? 0 : 0.3, key: UInt64(i) << 40 | 12345)
        }
        try backend.dropout(items)
        return [("x", try items.flatMap { try r.read($0.x) })]
      }
    }
    optimizerOfMany()
  }

  /// vBERTs at different steps, rates and norms, of which some are clipped.
  private func optimizerOfMany() {
    compareParts("AdamW of many", tolerance: 1e-5) { r, backend in
      var (items, read): ([AdamWItem], [Tensor]) = ([], [])
      for (i, sizes) in [[384 * 64, 64], [5, 2049], [16], [150 * 384, 150]].enumerated() {
        let padded = sizes.map { ($0 + 15) / 16 * 16 }
        let total = padded.reduce(0, +)
        func flat(_ scale: Float) throws -> Tensor {
          try r.floats(r.noise(total, scale: scale).map(abs), columns: total)
        }
        let gradients = try r.floats([Float](repeating: 0, count: total), columns: total)
        let (value, mean, square) = (try flat(1), try flat(0.01), try flat(0.001))
        var (list, first): ([AdamWPart], Int) = ([], 0)
        for (size, padded) in zip(sizes, padded) {
          let part = first..<first + size
          let gradient = gradients.columns(part)
          unsafe try r.noise(size).withUnsafeBufferPointer {
            unsafe try backend.upload($0, to: gradient)
          }
          list.append(
            AdamWPart(
              AdamWState(
                value: value.columns(part), gradient: gradient, mean: mean.columns(part),
                square: square.columns(part)), decay: size > 100 ? 0.01 : 0,
              rate: i % 2 == 0 ? 1 : 10))
          first += padded
        }
        let norm = try r.floats([0], columns: 1)
        items.append(
          AdamWItem(
            list, gradients: gradients,
            step: AdamWStep(
              number: i + 1, rate: 0.001 * Float(i + 1), beta1: 0.9, beta2: 0.999, epsilon: 1e-8,
              decay: 0, gradientScale: 1), clipNorm: i % 2 == 0 ? 1 : 1e9, norm: norm))
        read += [value, mean, square, norm]
      }
      try backend.adamW(items)
      return [("all", try read.flatMap { try r.read($0) })]
    }
  }
}
