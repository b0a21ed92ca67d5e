internal import Files
internal import Foundation
internal import Model
internal import Synchronization

/// How long a publication waits for a lock that another process holds, and whom it tells.
package struct Patience: Sendable {
  /// In all; each try of SQLite's takes up to 30 of it.
  let seconds: Double
  let say: @Sendable (String) -> Void

  package init(seconds: Double = 3600, say: @escaping @Sendable (String) -> Void = { _ in }) {
    (self.seconds, self.say) = (seconds, say)
  }
}

/// Finished trainings that cannot be published yet: written as exported directories before the first
/// wait, removed when they are published after all.
final class KeptResults: Sendable {
  private struct State {
    /// When patience ends; nil before the first wait.
    var end: ContinuousClock.Instant?
    /// One a publication; nil for one that is not, or could not be, kept.
    var places: [URL?]
  }

  private let list: [AdapterStore.Publication]
  private let home: Home
  private let patience: Patience
  private let state: Mutex<State>

  init(_ list: [AdapterStore.Publication], home: Home, _ patience: Patience) {
    (self.list, self.home, self.patience) = (list, home, patience)
    state = Mutex(State(places: Array(repeating: nil, count: list.count)))
  }

  /// Keeps the results and tells so, at the first call, and waits a moment; false when patience is at
  /// its end, or the publication was cancelled.
  func wait(_ path: String) async -> Bool {
    let now = ContinuousClock.now
    if let end = state.withLock(\.end) {
      if now >= end { return false }
    } else {
      state.withLock { $0.end = now + .seconds(patience.seconds) }
      tell(path, Set(list.indices.compactMap { keep($0)?.deletingLastPathComponent().filePath }))
    }
    return (try? await Task.sleep(for: .milliseconds(200))) != nil
  }

  private func tell(_ path: String, _ folders: Set<String>) {
    patience.say(
      "another process holds the lock of \(path): waiting up to \(Int(patience.seconds)) s to publish; "
        + "what was trained is kept in \(folders.sorted().joined(separator: ", "))")
  }

  /// Where the result is kept from now on, if it could be.
  @discardableResult
  private func keep(_ index: Int) -> URL? {
    if let place = place(index) { return place }
    let place = write(list[index])
    state.withLock { $0.places[index] = place }
    return place
  }

  private func place(_ index: Int) -> URL? { state.withLock { $0.places[index] } }

  /// HOME/unpublished, or where that is full the system's temporary directory.
  private func write(_ item: AdapterStore.Publication) -> URL? {
    let vbert = item.vbert.name.text.replacing("/", with: "-")
    let name = "\(vbert)-\(UUID().uuidString.prefix(8).lowercased())"
    for parent in [
      home.unpublished, FileManager.default.temporaryDirectory.appending(path: "vbert-unpublished"),
    ] {
      do {
        try FileManager.default.createDirectory(
          at: parent, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let place = parent.appending(path: name, directoryHint: .isDirectory)
        try AdapterStore.write(item, to: place)
        return place
      } catch { continue }
    }
    return nil
  }

  func remove(_ index: Int) {
    if let place = place(index) { try? FileManager.default.removeItem(at: place) }
  }

  /// Of all, where not even the lock was to be had.
  func failures(_ why: AdapterError) -> [Result<VersionRecord, AdapterError>] {
    list.indices.map { .failure(explained($0, why)) }
  }

  /// The disk or the registry failed: the result is kept. Whatever else speaks against it speaks
  /// against the result itself.
  func after(_ index: Int, _ error: AdapterError) -> AdapterError {
    switch error {
    case .unwritable, .registry(.storage), .registry(.busy):
      keep(index)
      return explained(index, error)
    default:
      remove(index)
      return error
    }
  }

  private func explained(_ index: Int, _ error: AdapterError) -> AdapterError {
    guard let place = place(index) else { return error }
    return .kept(
      vbert: list[index].vbert.name.text, path: place.filePath, why: error.description)
  }
}
