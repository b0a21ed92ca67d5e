import Compute
import ComputeCUDA
import GPUBench

extension Checks {
  /// Losses with their value on the host and on the device, in fp32 and in the states' type.
  func losses() {
    for (rows, classes) in [(6, 4), (333, 150), (1, 2)] {
      for weighted in [false, true] {
        compareParts("softmax loss \(rows) x \(classes)\(weighted ? ", weighted" : "")") {
          r, backend in
          let logits = r.noise(rows * classes, scale: 5)
          let labels = (0..<rows).map { $0 % 5 == 4 ? -100 : Int32($0 % classes) }
          let weights = weighted ? r.noise(classes).map { $0 + 1.5 } : nil
          var parts: [(name: String, values: [Float])] = []
          for tensor in [
            try r.floats(logits, columns: classes), try r.state(logits, columns: classes),
          ] {
            let d = try r.floats([Float](repeating: .nan, count: logits.count), columns: classes)
            let value = try r.floats([0.5], columns: 1)
            let loss = try backend.softmaxLoss(
              tensor, labels: labels, weights: weights, share: 0.25, into: d)
            try backend.softmaxLoss(
              tensor, labels: labels, weights: weights, share: 0.25, into: d, addingTo: value)
            parts += [
              ("loss", [Float(loss)]), ("value", try r.read(value)), ("d", try r.read(d)),
            ]
          }
          return parts
        }
      }
    }
    compareParts("binary loss") { r, backend in
      let logits = try r.floats(r.noise(70 * 5, scale: 8), columns: 5)
      let d = try r.floats([Float](repeating: .nan, count: 70 * 5), columns: 5)
      let targets = (0..<350).map { Float($0 % 3 / 2) }
      let value = try r.floats([2], columns: 1)
      let loss = try backend.binaryLoss(
        logits, targets: targets, weights: [1, 2, 3, 0.5, 1], share: 0.01, into: d)
      try backend.binaryLoss(
        logits, targets: targets, weights: nil, share: 0.01, into: d, addingTo: value)
      return [("loss", [Float(loss)]), ("value", try r.read(value)), ("d", try r.read(d))]
    }
    for count in [12, 100_003] {
      compareParts("squared loss \(count)") { r, backend in
        let x = try r.state(r.noise(count), columns: count)
        let targets = [
          try r.state(r.noise(count), columns: count), try r.floats(r.noise(count), columns: count),
        ]
        let d = try r.poisoned(rows: 1, columns: count)
        let value = try r.floats([1], columns: 1)
        let loss = try backend.squaredLoss(x, targets: targets[0], share: 0.1, into: d)
        let first = try r.read(d)
        try backend.squaredLoss(x, targets: targets[1], share: 0.1, into: d, addingTo: value)
        return [
          ("loss", [Float(loss)]), ("d", first), ("value", try r.read(value)),
          ("d to fp32", try r.read(d)),
        ]
      }
    }
  }

  /// Three steps over tensors of several sizes, clipped and not.
  func optimizer() {
    for clip in [0.5, 1e9] {
      compareParts("AdamW, clipped to \(clip)", tolerance: 1e-5) { r, backend in
        let sizes = [384, 1, 384 * 64, 5, 2048, 2049]
        let padded = sizes.map { ($0 + 15) / 16 * 16 }
        let total = padded.reduce(0, +)
        func flat(_ values: [Float]) throws -> Tensor { try r.floats(values, columns: total) }
        let zeros = [Float](repeating: 0, count: total)
        let (value, gradient) = (try flat(r.noise(total)), try flat(zeros))
        let (mean, square) = (try flat(zeros), try flat(zeros))
        var list: [AdamWPart] = []
        var ranges: [Range<Int>] = []
        var first = 0
        for (size, room) in zip(sizes, padded) {
          let range = first..<first + size
          ranges.append(range)
          list.append(
            AdamWPart(
              AdamWState(
                value: value.columns(range), gradient: gradient.columns(range),
                mean: mean.columns(range), square: square.columns(range)),
              decay: list.count % 2 == 0 ? 0.1 : 0, rate: list.count % 3 == 0 ? 1 : 7))
          first += room
        }
        let norm = try r.floats([.nan], columns: 1)
        var norms: [Float] = []
        for number in 1...3 {
          var values = zeros
          for range in ranges { for i in range { values[i] = r.noise(1)[0] } }
          unsafe try values.withUnsafeBufferPointer { unsafe try backend.upload($0, to: gradient) }
          try backend.adamW(
            list, gradients: gradient,
            step: AdamWStep(
              number: number, rate: 1e-2, beta1: 0.9, beta2: 0.98, epsilon: 1e-8, decay: 9,
              gradientScale: 1), clipNorm: clip, norm: norm)
          norms += try r.read(norm)
        }
        try backend.adamW(
          list[0].state,
          step: AdamWStep(
            number: 4, rate: 1e-2, beta1: 0.9, beta2: 0.98, epsilon: 1e-8, decay: 0.1,
            gradientScale: 0.5))
        return [
          ("value", try r.read(value)), ("norms", norms),
          ("squared sum", [Float(try backend.squaredSum(value))]),
        ]
      }
    }
  }
}
