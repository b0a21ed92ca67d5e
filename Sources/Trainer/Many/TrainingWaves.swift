internal import Compute
internal import Manager
import Model

/// The vBERTs of one base and domain, in waves that fit the memory: rows are read until a wave is full, it is
/// trained and published, and nothing of it is left but results.
final class TrainingWaves {
  typealias Item = TrainingService.Item

  let session: TrainingSession
  let source: TrainingOrder.Source
  let opened: OpenedBase
  let memory: TrainingMemory
  let floor: TrainingFloor
  /// Of a file that is read alone: bytes of its lines.
  let longestFile: Int
  /// Not read yet.
  var waiting: ArraySlice<Int>
  /// Those that were found to be larger than they looked: they are read alone.
  var large: Set<Int> = []
  /// Read, but for the next wave.
  var ready: [Item] = []

  var room: TrainingRoom { session.service.room }
  var configuration: Configuration { opened.base.configuration }

  /// Throws what asking for the memory does, and `TrainingError.tooLarge` where it does not hold the base.
  init(_ session: TrainingSession, _ group: TrainingOrder.Group, _ opened: OpenedBase) throws {
    (self.session, source, self.opened) = (session, group.source, opened)
    waiting = group.places[...]
    memory = try session.service.room.memory(opened.backend)
    floor = TrainingFloor(
      opened.base.configuration, lines: session.requests.count,
      rowCache: opened.lookup == nil ? 0 : session.service.room.rowCache, memory: memory)
    longestFile = max(0, memory.host - floor.base.host) / TrainingFloor.textFactor
  }

  /// Throws what ends all that are left.
  func run() async throws {
    while !session.isOver, !(ready.isEmpty && waiting.isEmpty) {
      var (wave, items) = (
        WaveFilling(memory: memory, floor: floor.base, most: room.members), [Item]()
      )
      let reading = ContinuousClock.now
      while !wave.isFull, !session.isOver {
        if ready.isEmpty, !(await read(besideOthers: !items.isEmpty)) { break }
        fill(&wave, &items)
        if !ready.isEmpty { break }
      }
      session.report.readSeconds += (ContinuousClock.now - reading) / .seconds(1)
      try await train(items, stateBytes: wave.stateBytes)
    }
  }

  /// Moves what is ready into the wave, up to the first that has no room there.
  private func fill(_ wave: inout WaveFilling, _ items: inout [Item]) {
    while let item = ready.first {
      switch wave.take(need(item)) {
      case .later: return
      case .taken: items.append(item)
      case .never(let needed):
        session.finish(
          item.place,
          .failure(
            TrainingError.tooLarge(
              vbert: item.vbert.name.text, enough: memory.enough(for: needed))), item.job)
      }
      ready.removeFirst()
    }
  }

  private func need(_ item: Item) -> TrainingNeed {
    let spec = item.job.spec
    return TrainingNeed(
      spec, size: item.job.size, base: configuration,
      stateWidth: configuration.hiddenSize * opened.backend.activationType.byteCount,
      scratch: TrainingFloor.scratch(
        tokens: max(tokens(item), spec.maxLength), spec, base: configuration),
      effort: item.job.few?.effort)
  }

  func tokens(_ item: Item) -> Int {
    TrainingFloor.tokens(
      room.tokens, atLeast: item.job.tokenBudget,
      scratch: TrainingFloor.scratch(tokens: 1, item.job.spec, base: configuration), memory: memory)
  }
}
