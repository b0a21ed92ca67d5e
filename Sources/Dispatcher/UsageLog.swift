internal import Foundation
internal import Manager
internal import Model
internal import Synchronization

/// What tenants use, and when their keys were last used: gathered, and written down once a minute and when
/// the server stops. A kill loses the last minute.
final class UsageLog: Sendable {
  private struct State {
    var keys: [Int64: Date] = [:]
    var usage: [Name: Usage] = [:]
    /// Of `usage`.
    var day = UsageRecord.day(of: .now)
    /// Keys that were used since the process began.
    var known: Set<Int64> = []
    /// Somebody will write what is gathered.
    var isDue = false
  }

  private static let pause: Duration = .seconds(60)
  private let state = Mutex(State())
  private let registry: any RegistryStore

  init(_ registry: any RegistryStore) { self.registry = registry }

  /// A request has ended. O(1). The first use of all of a key is written at once.
  func note(_ usage: Usage, of tenant: Name, with key: KeyRecord?) {
    let today = UsageRecord.day(of: .now)
    let (isFirst, isNew, over) = state.withLock { state in
      // What was used before midnight belongs to its day.
      let over = state.day == today ? nil : (state.day, state.usage)
      if over != nil { (state.day, state.usage) = (today, [:]) }
      state.usage[tenant, default: Usage()].add(usage)
      let isFirst =
        key.map { key in
          state.keys[key.id] = .now
          return state.known.insert(key.id).inserted && key.used == nil
        } ?? false
      defer { state.isDue = true }
      return (isFirst, !state.isDue, over)
    }
    if let (day, usage) = over { Task { await write(usage, day) } }
    if isFirst { Task { await flush() } }
    guard isNew else { return }
    Task {
      try? await Task.sleep(for: Self.pause)
      await flush()
    }
  }

  /// Writes what is gathered. What cannot be written now is kept for the next time.
  func flush() async {
    let (keys, usage, day) = state.withLock { state in
      defer { (state.keys, state.usage, state.isDue) = ([:], [:], false) }
      return (state.keys, state.usage, state.day)
    }
    await apart { [self] in
      do { try await registry.note(uses: keys) } catch {
        state.withLock { $0.keys.merge(keys) { newer, _ in newer } }
      }
    }
    await write(usage, day)
  }

  /// On a thread of its own: what is written waits for changes that wait.
  private func apart(_ body: @escaping @Sendable () async -> Void) async {
    await withCheckedContinuation { done in
      let thread = Thread {
        blocking { await body() }
        done.resume()
      }
      thread.name = "usage"
      thread.start()
    }
  }

  private func write(_ usage: [Name: Usage], _ day: Int) async {
    await apart { [self] in
      do { try await registry.add(usage: usage, day: day) } catch {
        // Another has the lock. What is a day's that is over is tried once more, and then today's.
        state.withLock { state in
          for (tenant, used) in usage { state.usage[tenant, default: Usage()].add(used) }
        }
      }
    }
  }
}
