package import Compute

/// Maps and losses of many vBERTs in one launch each; weights are read in fp32 where they lie.
extension CUDABackend {
  package func linear(_ items: [LinearItem]) throws(ComputeError) {
    if items.count == 1 {
      let i = items[0]
      return try linear(i.x, weight: i.weight, bias: i.bias, scale: 1, adding: false, into: i.y)
    }
    try run(
      items.map { GradientProduct(a: $0.x, b: $0.weight, c: $0.y, transposedB: true) },
      bias: { items[$0].bias?.address ?? 0 })
  }

  package func linearInputGradient(_ items: [LinearItem], adding: Bool) throws(ComputeError) {
    if items.count == 1 {
      let i = items[0]
      return try linearInputGradient(i.y, weight: i.weight, scale: 1, adding: adding, into: i.x)
    }
    try run(items.map { GradientProduct(a: $0.y, b: $0.weight, c: $0.x, adding: adding) })
  }

  package func linearParameterGradient(_ items: [LinearItem]) throws(ComputeError) {
    if items.count == 1 {
      let i = items[0]
      return try linearParameterGradient(
        i.y, input: i.x, scale: 1, weight: i.weight, bias: i.bias)
    }
    try run(
      items.map {
        GradientProduct(a: $0.y, b: $0.x, c: $0.weight, transposedA: true, adding: true)
      }, sums: { items[$0].bias?.address ?? 0 })
  }

  /// As kernels/products.cu has it.
  private struct Item: BitwiseCopyable {
    var a, b, c, bias, sums: UInt
    var rows, columns, inner, aRow, aColumn, bRow, bColumn, cRow: Int32
  }

  private struct Tile: BitwiseCopyable {
    var item, row, column: Int32
  }

  /// All products at once: operands of one type each, results that do not overlap.
  private func run(
    _ products: [GradientProduct], bias: (Int) -> UInt = { _ in 0 },
    sums: (Int) -> UInt = { _ in 0 }
  ) throws(ComputeError) {
    guard let first = products.first else { return }
    var (items, tiles): ([Item], [Tile]) = ([], [])
    for (number, p) in products.enumerated() {
      precondition((p.a.type, p.b.type, p.c.type) == (first.a.type, first.b.type, first.c.type))
      items.append(
        Item(
          a: p.a.address, b: p.b.address, c: p.c.address, bias: bias(number), sums: sums(number),
          rows: Int32(p.c.rows), columns: Int32(p.c.columns), inner: Int32(p.inner),
          aRow: Int32(p.transposedA ? 1 : p.a.stride),
          aColumn: Int32(p.transposedA ? p.a.stride : 1),
          bRow: Int32(p.transposedB ? 1 : p.b.stride),
          bColumn: Int32(p.transposedB ? p.b.stride : 1), cRow: Int32(p.c.stride)))
      for row in stride(from: 0, to: p.c.rows, by: 64) {
        for column in stride(from: 0, to: p.c.columns, by: 64) {
          tiles.append(Tile(item: Int32(number), row: Int32(row), column: Int32(column)))
        }
      }
    }
    let (itemTable, tileTable) = (try table(items), try table(tiles))
    try launch(
      kernel("products", in: "products.cu", first.a, first.b, first.c),
      grid: (tiles.count, 1), block: 256,
      [
        .address(itemTable.address), .address(tileTable.address), .float(first.scale),
        .int(first.adding ? 1 : 0),
      ])
  }

  /// As kernels/losses.cu has it.
  private struct Row: BitwiseCopyable {
    var logits, d: UInt
    var classes, label: Int32
    var weight: Double
  }

  package func softmaxLoss(_ items: [SoftmaxItem], addingTo values: Tensor) throws(ComputeError) {
    guard let first = items.first else { return }
    var (rows, ends): ([Row], [Int32]) = ([], [])
    for item in items {
      let classes = item.logits.columns
      precondition(item.logits.type == first.logits.type && item.d.type == first.d.type)
      precondition(item.labels.count == item.logits.rows && item.d.count == item.logits.count)
      for (row, label) in item.labels.enumerated() {
        precondition(label < classes)
        let weight = label < 0 ? 1 : item.weights.map { Double($0[Int(label)]) } ?? 1
        rows.append(
          Row(
            logits: item.logits.rows(row..<row + 1).address,
            d: item.d.rows(row..<row + 1).address, classes: Int32(classes), label: label,
            weight: item.share * weight))
      }
      ends.append(Int32(rows.count))
    }
    let (rowTable, endTable) = (try table(rows), try table(ends))
    let losses = try buffers.take(8 * rows.count)
    try launch(
      kernel("softmaxLosses", in: "losses.cu", first.logits, first.d, first.logits),
      grid: ((rows.count + 7) / 8, 1), block: 256,
      [.address(rowTable.address), .int(rows.count), .address(losses.address)])
    try launch(
      kernel("addItemSums", in: "losses.cu", first.logits, first.d, first.logits),
      grid: ((items.count + 7) / 8, 1), block: 256,
      [
        .address(losses.address), .address(endTable.address), .int(items.count), .tensor(values),
      ])
  }
}
