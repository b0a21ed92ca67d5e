internal import Compute
internal import Synchronization

/// A batch's layout on the device.
final class CUDASequences: PlacedSequences {
  let layout: SequenceLayout
  /// int32 [sequences + 1].
  let offsets: BufferPool.Lent
  /// int32 [rows], each row's place in its sequence.
  let places: BufferPool.Lent
  /// Blocks of the attention kernel: int32 [tasks, 3], a sequence's first row, its length, and the
  /// block's first query.
  let tasks: BufferPool.Lent
  let taskCount: Int
  /// The same with 128 queries a block, for Hopper where a sequence is longer than 64.
  let wideTasks: (table: BufferPool.Lent, count: Int)?
  /// Sequences of at most three tokens, which kernels/windows.cu works on: int32 [windows, 2], first
  /// row and length.
  let windows: BufferPool.Lent
  let windowCount: Int

  init(
    layout: SequenceLayout, offsets: BufferPool.Lent, places: BufferPool.Lent,
    tasks: (table: BufferPool.Lent, count: Int), wideTasks: (table: BufferPool.Lent, count: Int)?,
    windows: (table: BufferPool.Lent, count: Int)
  ) {
    self.layout = layout
    self.offsets = offsets
    self.places = places
    (self.tasks, taskCount) = tasks
    self.wideTasks = wideTasks
    (self.windows, windowCount) = windows
  }

  /// Queries that a block of the attention kernel owns.
  static let queriesPerTask = 64

  static func places(_ layout: SequenceLayout) -> [Int32] {
    var places: [Int32] = []
    places.reserveCapacity(layout.rows)
    for i in 0..<layout.count { places += 0..<Int32(layout.rows(of: i).count) }
    return places
  }

  /// Longest sequence that is a window.
  static let longestWindow = 3

  static func windows(_ layout: SequenceLayout) -> [Int32] {
    var windows: [Int32] = []
    for i in 0..<layout.count {
      let rows = layout.rows(of: i)
      if rows.count <= longestWindow { windows += [Int32(rows.lowerBound), Int32(rows.count)] }
    }
    return windows
  }

  /// Of the sequences longer than `shortest`.
  static func tasks(
    _ layout: SequenceLayout, queries: Int = queriesPerTask, beyond shortest: Int = longestWindow
  ) -> [Int32] {
    var tasks: [Int32] = []
    for i in 0..<layout.count {
      let rows = layout.rows(of: i)
      guard rows.count > shortest else { continue }
      for query in stride(from: 0, to: rows.count, by: queries) {
        tasks += [Int32(rows.lowerBound), Int32(rows.count), Int32(query)]
      }
    }
    return tasks
  }
}

/// A tenant's parameters in the page pool.
final class CUDAAdapter: ResidentAdapter {
  let byteCount: Int
  /// Address of the root page.
  let root: UInt
  /// For each slot of the directory, the width, rank or number of labels; 0 for nothing.
  let sizes: [Int]
  let pages: [UInt]
  /// The copy that brings it, while that may be under way; nil once a lane may read it as it is.
  let arrival: Mutex<LaneMark?>
  private let device: CUDADevice

  /// Takes pages for it, which are undefined yet. Throws `outOfMemory`.
  init(_ image: AdapterImage, device: CUDADevice, arrival: LaneMark? = nil) throws(ComputeError) {
    pages = try device.pages.take(image.pageCount) { bytes throws(ComputeError) in
      try device.allocate(bytes, flag: "--cache-bytes")
    }
    sizes = image.entries.map { Int($0.size) }
    self.device = device
    self.arrival = Mutex(arrival)
    root = pages[0]
    byteCount = pages.count * PagePool.pageBytes
  }

  deinit { device.pages.giveBack(pages) }
}

/// A batch's groups on the device: tiles of at most 64 rows of one group, with the address of the
/// group's adapter. Tiles cover every row up to the last group's end, those between groups too.
final class CUDAGroups: PlacedGroups {
  let groups: [RowGroup]
  let tiles: BufferPool.Lent
  let tileCount: Int
  /// Rows that the tiles cover, from 0.
  var rows: Int { groups.last?.rows.upperBound ?? 0 }
  /// Largest size of any group's adapter in each slot.
  let sizes: [Int]

  init(groups: [RowGroup], tiles: BufferPool.Lent, tileCount: Int, sizes: [Int]) {
    self.groups = groups
    self.tiles = tiles
    self.tileCount = tileCount
    self.sizes = sizes
  }

  func size(_ slot: Int) -> Int { slot < sizes.count ? sizes[slot] : 0 }

  func hasLowRank(layer: Int, target: LowRankTarget) -> Bool {
    size(AdapterImage.slot(layer: layer, target: target)) > 0
  }

  /// As the kernels read it (kernels/device.h, Tile).
  struct Tile: BitwiseCopyable, Equatable {
    var root: UInt64
    var row: Int32
    var rows: Int32
  }

  static let rowsPerTile = 64

  /// The tiles of all rows up to the last group's end; root 0 where there is no adapter.
  static func tiles(_ groups: [RowGroup]) -> [Tile] {
    var tiles: [Tile] = []
    func add(_ rows: Range<Int>, _ root: UInt) {
      for row in stride(from: rows.lowerBound, to: rows.upperBound, by: rowsPerTile) {
        tiles.append(
          Tile(
            root: UInt64(root), row: Int32(row),
            rows: Int32(min(rowsPerTile, rows.upperBound - row))
          ))
      }
    }
    var end = 0
    for group in groups {
      add(end..<group.rows.lowerBound, 0)
      add(group.rows, (group.adapter as? CUDAAdapter)?.root ?? 0)
      end = group.rows.upperBound
    }
    return tiles
  }
}
