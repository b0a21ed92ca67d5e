internal import CCUDA
internal import Compute

/// A tenant's parameters as the grouped kernels read them (kernels/device.h): a run of fragments that
/// begins with the directory. Made on the host, then copied page by page.
struct AdapterImage {
  /// A row of the directory.
  struct Entry: Equatable {
    var size: UInt32 = 0
    var first: UInt32 = 0
    var second: UInt32 = 0
    var extra: UInt32 = 0
  }

  /// Slot 0 is the head; then eight slots a layer.
  private(set) var entries: [Entry]
  private(set) var fragments: Int
  private let adapter: HostAdapter
  private let layers: Int

  static func slot(layer: Int, site: AdapterSite) -> Int { 1 + 8 * layer + Int(site.rawValue) }
  static func slot(layer: Int, target: LowRankTarget) -> Int {
    1 + 8 * layer + 2 + Int(target.rawValue)
  }

  /// Most pages that one entry's matrices may touch: the kernels keep their addresses on the chip.
  private static let mostPagesPerEntry = 510

  /// Lays the adapter out. Throws `unsupported` for shapes that the kernels do not take.
  init(_ adapter: HostAdapter) throws(ComputeError) {
    self.adapter = adapter
    layers =
      1
      + max(adapter.bottlenecks.map(\.layer).max() ?? -1, adapter.lowRanks.map(\.layer).max() ?? -1)
    entries = Array(repeating: Entry(), count: 1 + 8 * layers)
    fragments = 0
    var at = AdapterImage.directoryFragments(layers: layers, pages: 0)
    // The directory holds the pages' addresses, whose number depends on its own size: twice is enough,
    // since a page holds 4,096 addresses.
    for _ in 0..<2 {
      let pages = AdapterImage.pages(of: try place(from: at))
      at = AdapterImage.directoryFragments(layers: layers, pages: pages)
    }
    fragments = try place(from: at)
    guard at <= PagePool.fragmentsPerPage else {
      throw .unsupported("an adapter whose directory is longer than one page")
    }
  }

  var pageCount: Int { AdapterImage.pages(of: fragments) }

  private static func pages(of fragments: Int) -> Int {
    (fragments + PagePool.fragmentsPerPage - 1) / PagePool.fragmentsPerPage
  }

  private static func directoryFragments(layers: Int, pages: Int) -> Int {
    let bytes = 16 + 16 * (1 + 8 * layers) + 8 * pages
    return (bytes + PagePool.fragmentBytes - 1) / PagePool.fragmentBytes
  }

  private static func fragments(_ rows: Int, _ columns: Int) -> Int {
    (rows + 15) / 16 * ((columns + 15) / 16)
  }

  private static func vectorFragments(_ count: Int) -> Int { (count + 127) / 128 }

  /// Gives every part its fragments, from `start` on; the number of the fragment after the last.
  private mutating func place(from start: Int) throws(ComputeError) -> Int {
    var next = start
    func check(_ columns: [Int], from first: Int) throws(ComputeError) {
      guard columns.allSatisfy({ $0 % 16 == 0 }) else {
        throw .unsupported("adapters on layers whose width is no multiple of 16: \(columns)")
      }
      guard (next - first) / PagePool.fragmentsPerPage + 1 <= AdapterImage.mostPagesPerEntry else {
        throw .unsupported("an adapter this wide; the most is about 16 MB a layer")
      }
    }
    for part in adapter.bottlenecks {
      var entry = Entry(size: UInt32(part.down.outputs), first: UInt32(next))
      next += AdapterImage.fragments(part.down.outputs, part.down.inputs)
      entry.second = UInt32(next)
      next += AdapterImage.fragments(part.up.outputs, part.up.inputs)
      entry.extra = UInt32(next)
      next += AdapterImage.vectorFragments(part.down.outputs)
      next += AdapterImage.vectorFragments(part.up.outputs)
      try check([part.down.inputs, part.up.outputs], from: Int(entry.first))
      entries[AdapterImage.slot(layer: part.layer, site: part.site)] = entry
    }
    for part in adapter.lowRanks {
      var entry = Entry(
        size: UInt32(part.a.outputs), first: UInt32(next), extra: part.scale.bitPattern)
      next += AdapterImage.fragments(part.a.outputs, part.a.inputs)
      entry.second = UInt32(next)
      next += AdapterImage.fragments(part.b.outputs, part.b.inputs)
      try check([part.a.inputs, part.b.outputs], from: Int(entry.first))
      entries[AdapterImage.slot(layer: part.layer, target: part.target)] = entry
    }
    if let head = adapter.head {
      var entry = Entry(size: UInt32(head.outputs), first: UInt32(next))
      next += head.outputs * AdapterImage.vectorFragments(head.inputs)
      entry.extra = UInt32(next)
      next += AdapterImage.vectorFragments(head.outputs)
      entries[0] = entry
    }
    return next
  }
}

extension AdapterImage {
  var byteCount: Int { pageCount * PagePool.pageBytes }

  /// Writes all pages but for the directory into `byteCount` zeros.
  func write(into memory: UnsafeMutableRawBufferPointer) {
    for part in adapter.bottlenecks {
      let entry = entries[AdapterImage.slot(layer: part.layer, site: part.site)]
      unsafe AdapterImage.pack(part.down, at: entry.first, into: memory)
      unsafe AdapterImage.pack(part.up, at: entry.second, into: memory)
      let upBias = entry.extra + UInt32(AdapterImage.vectorFragments(part.down.outputs))
      unsafe AdapterImage.copy(part.down.bias ?? [], at: entry.extra, into: memory)
      unsafe AdapterImage.copy(part.up.bias ?? [], at: upBias, into: memory)
    }
    for part in adapter.lowRanks {
      let entry = entries[AdapterImage.slot(layer: part.layer, target: part.target)]
      unsafe AdapterImage.pack(part.a, at: entry.first, into: memory)
      unsafe AdapterImage.pack(part.b, at: entry.second, into: memory)
    }
    if let head = adapter.head {
      let fragments = UInt32(AdapterImage.vectorFragments(head.inputs))
      for label in 0..<head.outputs {
        let row = head.weight[label * head.inputs..<(label + 1) * head.inputs]
        unsafe AdapterImage.copy(
          Array(row), at: entries[0].first + UInt32(label) * fragments, into: memory)
      }
      unsafe AdapterImage.copy(head.bias ?? [], at: entries[0].extra, into: memory)
    }
  }

  /// Writes what depends on where the pages are.
  func writeDirectory(_ addresses: [UInt], into memory: UnsafeMutableRawBufferPointer) {
    precondition(addresses.count == pageCount)
    unsafe memory.storeBytes(of: UInt32(layers), toByteOffset: 0, as: UInt32.self)
    unsafe memory.storeBytes(of: UInt32(addresses.count), toByteOffset: 4, as: UInt32.self)
    for (i, entry) in entries.enumerated() {
      for (j, value) in [entry.size, entry.first, entry.second, entry.extra].enumerated() {
        unsafe memory.storeBytes(of: value, toByteOffset: 16 + 16 * i + 4 * j, as: UInt32.self)
      }
    }
    for (i, address) in addresses.enumerated() {
      unsafe memory.storeBytes(
        of: UInt64(address), toByteOffset: 16 + 16 * entries.count + 8 * i, as: UInt64.self)
    }
  }

  private static func pack(
    _ matrix: HostMatrix, at fragment: UInt32, into memory: UnsafeMutableRawBufferPointer
  ) {
    let target = unsafe memory.baseAddress?.advanced(by: Int(fragment) * PagePool.fragmentBytes)
      .assumingMemoryBound(to: UInt16.self)
    unsafe ccuda_pack_fragments(matrix.weight, matrix.outputs, matrix.inputs, target)
  }

  private static func copy(
    _ values: [Float], at fragment: UInt32, into memory: UnsafeMutableRawBufferPointer
  ) {
    let start = Int(fragment) * PagePool.fragmentBytes
    unsafe values.withUnsafeBytes { values in
      unsafe UnsafeMutableRawBufferPointer(rebasing: memory[start..<start + values.count])
        .copyMemory(from: values)
    }
  }
}
