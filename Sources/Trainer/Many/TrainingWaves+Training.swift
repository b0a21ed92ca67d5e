internal import Compute
internal import Manager
import Model

extension TrainingWaves {
  /// Those of one kind together, in the order in which kinds are met.
  func train(_ items: [Item], stateBytes: Int) async throws {
    var (kinds, numbers): ([[Item]], [AnyHashable: Int]) = ([], [:])
    for item in items {
      let number = numbers[item.job.kind] ?? kinds.count
      if number == kinds.count {
        numbers[item.job.kind] = number
        kinds.append([])
      }
      kinds[number].append(item)
    }
    for items in kinds where !session.isOver { try await trainKind(items, stateBytes) }
  }

  private func trainKind(_ given: [Item], _ stateBytes: Int) async throws {
    let (items, running) = try await begin(given)
    guard let first = items.first else { return }
    // One alone runs in batches of its own size.
    let isAlone = items.count == 1
    let tokens = isAlone ? first.job.tokenBudget : items.map(tokens).min() ?? room.tokens
    do {
      let results = try await session.service.train(
        items, running, opened, tokens: tokens,
        stateBytes: isAlone ? min(stateBytes, first.job.options.stateBytes) : stateBytes,
        session.isCancelled, session.tell, &session.report)
      for (item, result) in zip(items, results) { session.finish(item.place, result, item.job) }
      session.stopIfNothingCanBeKept(results)
    } catch let error as ComputeError {
      guard case .outOfMemory = error else { throw error }
      // The estimate was too low, or others took what was free: fewer at once.
      if isAlone { return session.finish(first.place, .failure(error), first.job) }
      try await trainKind(Array(items.prefix(items.count / 2)), stateBytes / 2)
      try await trainKind(Array(items.dropFirst(items.count / 2)), stateBytes / 2)
    }
  }

  /// A job for each, but for those whose vBERT was deleted since.
  private func begin(_ items: [Item]) async throws -> ([Item], [RunningJob]) {
    var items = items
    while !items.isEmpty {
      do {
        let jobs = try await session.service.store.registry.beginJobs(
          vberts: items.map(\.vbert.name),
          for: items.map { session.requests[$0.place].fineTuning })
        return (items, jobs)
      } catch {
        guard case .noVBERT(let name, _) = error,
          let gone = items.firstIndex(where: { $0.vbert.name.text == name })
        else { throw error }
        let item = items.remove(at: gone)
        session.finish(item.place, .failure(error), item.job)
      }
    }
    return ([], [])
  }
}
