internal import Manager
import Model

extension TrainingWaves {
  /// Files that are read before it is looked whether the wave is full, and the share of the room for
  /// reading that each of them may have.
  private static let (filesAtOnce, share) = (64, 16)

  /// Reads the next requests' rows into `ready`; false where there are none, or the next is so large that
  /// it is read alone, and there are others.
  func read(besideOthers: Bool) async -> Bool {
    guard !waiting.isEmpty else { return false }
    var (batch, bytes) = ([Int](), 0)
    for place in waiting.prefix(Self.filesAtOnce) {
      guard let size = readingBytes(place), size <= floor.reading / Self.share,
        bytes + size <= floor.reading, !large.contains(place)
      else { break }
      batch.append(place)
      bytes += size
    }
    let isAlone = batch.isEmpty
    if isAlone {
      guard !besideOthers else { return false }
      batch = Array(waiting.prefix(1))
    }
    let limit = floor.reading / Self.share / TrainingFloor.textFactor
    let read = await read(batch, byteLimit: isAlone ? longestFile : limit)
    waiting.removeFirst(batch.count)
    for (place, result) in zip(batch, read) {
      do {
        let item = try result.get()
        if let labels = item.job.spec.unseenLabels {
          session.tell(.unseen(item.vbert.name, labels))
        }
        ready.append(item)
      } catch DataSetError.tooManyBytes where !isAlone {
        // Compressed, or it has grown.
        large.insert(place)
        waiting.insert(place, at: waiting.startIndex)
      } catch { session.fail([place], error) }
    }
    return true
  }

  private func readingBytes(_ place: Int) -> Int? {
    let request = session.requests[place]
    guard let data = RowsFile(path: request.data).readingBytes else { return nil }
    guard let dev = request.dev else { return data }
    return RowsFile(path: dev).readingBytes.map { $0 + data }
  }

  private func read(_ places: [Int], byteLimit: Int) async -> [Result<Item, any Error>] {
    var vberts: [Result<VBertRecord, any Error>] = []
    for place in places {
      do {
        vberts.append(
          .success(try await session.service.store.registry.vbert(session.requests[place].name)))
      } catch { vberts.append(.failure(error)) }
    }
    let (requests, base, source) = (session.requests, opened.base, source)
    return concurrentMap(places.count) { [vberts] i in
      Result {
        let vbert = try vberts[i].get()
        guard TrainingOrder.Source(vbert.spec) == source else {
          throw TrainingError.changed(vbert: vbert.name.text)
        }
        try vbert.spec.checkLength(base: base.configuration)
        let request = requests[places[i]]
        let prepared = try PreparedTraining(
          request, vbert, byteLimit: request.dev == nil ? byteLimit : byteLimit / 2)
        return Item(place: places[i], vbert: vbert, job: try prepared.job(on: base))
      }
    }
  }
}
