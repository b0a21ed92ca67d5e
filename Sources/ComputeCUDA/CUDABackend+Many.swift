package import Compute

/// What many vBERTs need at once, in one launch each. Weights are read in fp32 where they lie.
extension CUDABackend {
  package func linear(_ items: [LinearItem], scale: Float, adding: Bool) throws(ComputeError) {
    if items.count == 1 {
      let i = items[0]
      return try linear(
        i.x, weight: i.weight, bias: i.bias, scale: scale, adding: adding, into: i.y)
    }
    try run("forward", items, scale: scale, adding: adding) {
      precondition($0.x.rows == $0.y.rows && $0.x.columns == $0.weight.columns)
      precondition($0.y.columns == $0.weight.rows)
      return ManyProduct(
        a: $0.x, b: $0.weight, c: $0.y, inner: $0.x.columns, bias: $0.bias?.address ?? 0)
    }
  }

  package func linearInputGradient(_ items: [LinearItem], scale: Float, adding: Bool)
    throws(ComputeError)
  {
    if items.count == 1 {
      let i = items[0]
      return try linearInputGradient(
        i.y, weight: i.weight, scale: scale, adding: adding, into: i.x)
    }
    try run("inputGradient", items, scale: scale, adding: adding) {
      precondition($0.x.rows == $0.y.rows && $0.x.columns == $0.weight.columns)
      precondition($0.y.columns == $0.weight.rows)
      return ManyProduct(a: $0.y, b: $0.weight, c: $0.x, inner: $0.y.columns)
    }
  }

  package func linearParameterGradient(_ items: [LinearItem], scale: Float) throws(ComputeError) {
    if items.count == 1 {
      let i = items[0]
      return try linearParameterGradient(
        i.y, input: i.x, scale: scale, weight: i.weight, bias: i.bias)
    }
    try run("parameterGradient", items, scale: scale, adding: true) {
      precondition($0.x.rows == $0.y.rows && $0.x.columns == $0.weight.columns)
      precondition($0.y.columns == $0.weight.rows)
      return ManyProduct(
        a: $0.y, b: $0.x, c: $0.weight, inner: $0.x.rows, sums: $0.bias?.address ?? 0)
    }
  }

  /// All products at once: operands of one type each, results that do not overlap.
  private func run(
    _ kernel: String, _ items: [LinearItem], scale: Float, adding: Bool,
    _ product: (LinearItem) -> ManyProduct
  ) throws(ComputeError) {
    guard let first = items.first.map(product) else { return }
    var (list, places): ([ManyProduct.Item], [ManyProduct.Place]) = ([], [])
    list.reserveCapacity(items.count)
    for item in items {
      let product = product(item)
      precondition(
        product.a.type == first.a.type && product.b.type == first.b.type
          && product.c.type == first.c.type)
      product.addPlaces(number: list.count, to: &places)
      list.append(product.item)
    }
    let (itemTable, placeTable) = (try table(list), try table(places))
    try launch(
      self.kernel(kernel, in: "manyProducts.cu", first.a, first.b, first.c),
      grid: (places.count, 1), block: 128,
      [
        .address(itemTable.address), .address(placeTable.address), .float(scale),
        .int(adding ? 1 : 0),
      ])
  }

  // As kernels/losses.cu has them.

  private struct LossRow: BitwiseCopyable {
    var logits, d: UInt
    var classes, label: Int32
    var weight: Double
  }

  private struct LossItem: BitwiseCopyable {
    var value: UInt
    var first, end: Int32
  }

  package func softmaxLoss(_ items: [SoftmaxItem]) throws(ComputeError) {
    guard let first = items.first else { return }
    var (rows, ends): ([LossRow], [LossItem]) = ([], [])
    for item in items {
      let (classes, start) = (item.logits.columns, rows.count)
      precondition(item.logits.type == first.logits.type && item.d.type == first.d.type)
      precondition(item.labels.count == item.logits.rows && item.d.count == item.logits.count)
      precondition(item.logits.isContiguous && item.d.isContiguous)
      precondition(item.weights == nil || item.weights?.count == classes)
      for (row, label) in item.labels.enumerated() {
        precondition(label < classes)
        let weight = label < 0 ? 1 : item.weights.map { Double($0[Int(label)]) } ?? 1
        rows.append(
          LossRow(
            logits: item.logits.address + UInt(row * classes * item.logits.type.byteCount),
            d: item.d.address + UInt(row * classes * item.d.type.byteCount),
            classes: Int32(classes), label: label, weight: item.share * weight))
      }
      ends.append(
        LossItem(value: item.value.address, first: Int32(start), end: Int32(rows.count)))
    }
    let (rowTable, endTable) = (try table(rows), try table(ends))
    let losses = try buffers.take(8 * rows.count)
    try launch(
      kernel("softmaxLosses", in: "losses.cu", first.logits, first.d, first.logits),
      grid: ((rows.count + 7) / 8, 1), block: 256,
      [.address(rowTable.address), .int(rows.count), .address(losses.address)])
    try launch(
      kernel("addItemLosses", in: "losses.cu", first.logits, first.d, first.logits),
      grid: ((items.count + 7) / 8, 1), block: 256,
      [.address(losses.address), .address(endTable.address), .int(items.count)])
  }

  /// As kernels/values.cu has it.
  private struct DropPart: BitwiseCopyable {
    var x: UInt
    var key, count: UInt64
    var threshold: UInt32
    var scale: Float
    var firstBlock: Int32
    var unused: Int32 = 0
  }

  package func dropout(_ items: [DropoutItem]) throws(ComputeError) {
    guard let first = items.first else { return }
    var (parts, blocks): ([DropPart], Int) = ([], 0)
    for item in items where item.probability > 0 {
      precondition(item.probability < 1 && item.x.isContiguous && item.x.type == first.x.type)
      parts.append(
        DropPart(
          x: item.x.address, key: item.key, count: UInt64(item.x.count),
          threshold: CUDABackend.threshold(item.probability), scale: 1 / (1 - item.probability),
          firstBlock: Int32(blocks)))
      blocks += (item.x.count + 2047) / 2048
    }
    let table = try table(parts)
    try launch(
      kernel("dropouts", in: "values.cu", first.x, first.x), grid: (blocks, 1), block: 256,
      [.address(table.address), .int(parts.count)])
  }
}
