internal import CCUDA
package import Compute
internal import Synchronization

extension CUDABackend {
  package func load(_ adapter: HostAdapter) throws(ComputeError) -> any ResidentAdapter {
    try load(PackedAdapter(adapter))
  }

  /// A copy of its own of parameters that are packed already.
  package func load(_ adapter: PackedAdapter) throws(ComputeError) -> any ResidentAdapter {
    let resident = try CUDAAdapter(adapter.image, device: device)
    let pages = resident.pages
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
        unsafe adapter.bytes.withUnsafeBytes { bytes in
          unsafe memory.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[range]))
        }
        // The directory lies in the first page.
        if first == 0 { unsafe adapter.image.writeDirectory(pages, into: memory) }
      }
      first = last
    }
    try finish()
    return resident
  }

  package func place(_ layout: SequenceLayout) throws(ComputeError) -> any PlacedSequences {
    let (tasks, windows) = (CUDASequences.tasks(layout), CUDASequences.windows(layout))
    var wideTasks: (table: BufferPool.Lent, count: Int)?
    if warpgroups > 1, layout.longest > CUDASequences.queriesPerTask {
      let tasks = CUDASequences.tasks(layout, queries: 2 * CUDASequences.queriesPerTask)
      wideTasks = (try table(tasks), tasks.count / 3)
    }
    return CUDASequences(
      layout: layout, offsets: try table(layout.offsets),
      places: try table(CUDASequences.places(layout)),
      tasks: (try table(tasks), tasks.count / 3), wideTasks: wideTasks,
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
    try awaitArrivals(groups)
    let placed = CUDAGroups(
      groups: groups, tiles: try table(tiles), tileCount: tiles.count, sizes: sizes)
    try hold(placed)
    return placed
  }
}

extension CUDABackend {
  /// Later operations wait for the copies that bring these groups' adapters.
  private func awaitArrivals(_ groups: [RowGroup]) throws(ComputeError) {
    var last: LaneMark?
    for group in groups {
      guard let adapter = group.adapter as? CUDAAdapter,
        let mark = adapter.arrival.withLock({ $0 })
      else { continue }
      if mark.isPassed {
        adapter.arrival.withLock { $0 = nil }
      } else if mark !== last {
        try mark.holdBack(self)
        last = mark
      }
    }
  }

  /// Starts copying from memory that stays as it is until the copy is done.
  func copyPinned(_ bytes: UnsafeRawBufferPointer, to address: UInt) throws(ComputeError) {
    device.enter()
    try device.driver.check(
      unsafe device.driver.table.copy_to_device(
        UInt64(address), bytes.baseAddress, bytes.count, stream), "copying to the GPU")
  }
}
