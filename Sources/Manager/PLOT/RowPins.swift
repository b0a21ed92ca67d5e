internal import Synchronization

/// Which rows of the cache may be overwritten, when readers take no lock (epoch-based reclamation,
/// Fraser 2004).
///
/// A batch pins the current epoch before its first look at the cache and lets go when its rows have
/// been merged. A row taken out of the cache is stamped with the epoch, which then moves on; it is
/// overwritten only when every pin is younger than its stamp, so no batch that could have seen its
/// address is left. A long pin therefore stops admission in the end (the spare rows run out), never
/// a reader.
///
/// Why this is right: a pin is published, then a full fence, then the cache is read; the writer
/// takes the row out, then a full fence, then reads the pins. Whichever fence comes first, either
/// the reader misses the entry or the writer sees the pin. A pin that read an old epoch just before
/// it moved on only makes the writer wait longer.
@safe final class RowPins: Sendable {
  /// More batches at once look no rows up in the cache: they compute.
  static let most = 64
  /// Stands for "free"; epochs start at 1.
  private static let free: UInt64 = 0

  private nonisolated(unsafe) let slots: UnsafeMutablePointer<Atomic<UInt64>>
  private let epoch = Atomic<UInt64>(1)

  init() {
    unsafe slots = .allocate(capacity: RowPins.most)
    for slot in 0..<RowPins.most { unsafe (slots + slot).initialize(to: Atomic(RowPins.free)) }
  }

  deinit {
    unsafe slots.deinitialize(count: RowPins.most)
    unsafe slots.deallocate()
  }

  /// nil when all pins are taken.
  func pin() -> RowPin? {
    for slot in 0..<RowPins.most {
      let now = epoch.load(ordering: .sequentiallyConsistent)
      let (taken, _) = unsafe slots[slot].compareExchange(
        expected: RowPins.free, desired: now, ordering: .sequentiallyConsistent)
      if taken {
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        return RowPin(pins: self, slot: slot)
      }
    }
    return nil
  }

  fileprivate func release(_ slot: Int) {
    unsafe slots[slot].store(RowPins.free, ordering: .releasing)
  }

  /// The stamp for rows that have just been taken out of the cache; later pins do not count for
  /// them. For the one writer.
  func stamp() -> UInt64 {
    let (old, _) = epoch.add(1, ordering: .sequentiallyConsistent)
    return old
  }

  /// Rows with a stamp below this may be overwritten. For the one writer.
  func oldest() -> UInt64 {
    atomicMemoryFence(ordering: .sequentiallyConsistent)
    var oldest = epoch.load(ordering: .sequentiallyConsistent)
    for slot in 0..<RowPins.most {
      let pinned = unsafe slots[slot].load(ordering: .sequentiallyConsistent)
      if pinned != RowPins.free { oldest = min(oldest, pinned) }
    }
    return oldest
  }
}

/// Keeps the cache's rows where they are; lets go when it goes.
final class RowPin: Sendable {
  private let pins: RowPins
  private let slot: Int

  fileprivate init(pins: RowPins, slot: Int) {
    self.pins = pins
    self.slot = slot
  }

  deinit { pins.release(slot) }
}
