package import Compute

extension CUDABackend {
  package func load(_ adapter: HostAdapter) throws(ComputeError) -> any ResidentAdapter {
    let image = try AdapterImage(adapter)
    let pages = try device.pages.take(image.pageCount) { bytes throws(ComputeError) in
      try device.allocate(bytes, flag: "--cache-bytes")
    }
    // From here on the pages are the adapter's: an error gives them back.
    let resident = CUDAAdapter(
      pages: pages, sizes: image.entries.map { Int($0.size) }, device: device)
    let bytes = image.bytes(at: pages)
    var first = 0
    while first < pages.count {
      // Neighbouring pages travel in one copy.
      var last = first + 1
      let most = first + staging.capacity / PagePool.pageBytes
      while last < min(pages.count, most), pages[last] == pages[last - 1] + UInt(PagePool.pageBytes)
      {
        last += 1
      }
      let range = first * PagePool.pageBytes..<last * PagePool.pageBytes
      unsafe try copy(to: pages[first], bytes: range.count) { memory in
        unsafe bytes.withUnsafeBytes { bytes in
          unsafe memory.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[range]))
        }
      }
      first = last
    }
    try finish()
    return resident
  }

  package func place(_ layout: SequenceLayout) throws(ComputeError) -> any PlacedSequences {
    let (tasks, windows) = (CUDASequences.tasks(layout), CUDASequences.windows(layout))
    return CUDASequences(
      layout: layout, offsets: try table(layout.offsets),
      places: try table(CUDASequences.places(layout)),
      tasks: (try table(tasks), tasks.count / 3),
      windows: (try table(windows), windows.count / 2))
  }

  package func place(_ groups: [RowGroup]) throws(ComputeError) -> any PlacedGroups {
    let tiles = CUDAGroups.tiles(groups)
    var sizes: [Int] = []
    for group in groups {
      guard let adapter = group.adapter as? CUDAAdapter else { continue }
      for (slot, size) in adapter.sizes.enumerated() {
        if slot == sizes.count { sizes.append(0) }
        sizes[slot] = max(sizes[slot], size)
      }
    }
    let placed = CUDAGroups(
      groups: groups, tiles: try table(tiles), tileCount: tiles.count, sizes: sizes)
    held.append(placed)
    return placed
  }
}
