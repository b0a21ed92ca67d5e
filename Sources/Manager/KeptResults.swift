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
    var begin: ContinuousClock.Instant?
    /// One a publication, once they are kept; nil for one that could not be.
    var places: [URL?] = []
  }

  private let list: [AdapterStore.Publication]
  private let home: Home
  private let patience: Patience
  private let state = Mutex(State())

  init(_ list: [AdapterStore.Publication], home: Home, _ patience: Patience) {
    (self.list, self.home, self.patience) = (list, home, patience)
  }

  /// Keeps the results, tells so, and waits a moment; false when patience is at its end.
  func wait(_ path: String) -> Bool {
    let now = ContinuousClock.now
    let begin = state.withLock { state in
      defer { state.begin = state.begin ?? now }
      return state.begin
    }
    guard let begin else {
      keep()
      let places = Set(state.withLock(\.places).compactMap { $0?.deletingLastPathComponent() })
      let place = places.map { $0.path(percentEncoded: false) }.sorted().joined(separator: ", ")
      patience.say(
        "another process holds the lock of \(path): waiting up to \(Int(patience.seconds)) s to publish; "
          + "what was trained is kept in \(place)")
      Thread.sleep(forTimeInterval: 0.2)
      return true
    }
    guard now - begin < .seconds(patience.seconds) else { return false }
    Thread.sleep(forTimeInterval: 0.2)
    return true
  }

  private func keep() {
    let places = list.map { item in keep(item) }
    state.withLock { $0.places = places }
  }

  /// HOME/unpublished, or where that is full the system's temporary directory.
  private func keep(_ item: AdapterStore.Publication) -> URL? {
    let name = "\(item.vbert.name)-\(UUID().uuidString.prefix(8).lowercased())"
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
    let place = state.withLock { $0.places.isEmpty ? nil : $0.places[index] }
    if let place { try? FileManager.default.removeItem(at: place) }
  }

  /// Of all, where not even the lock was to be had.
  func failures(_ why: AdapterError) -> [Result<VersionRecord, AdapterError>] {
    list.indices.map { .failure(explained($0, why)) }
  }

  /// A blob could not be written, on a full disk for example.
  func afterRefusal(_ index: Int, _ error: AdapterError) -> AdapterError {
    guard case .unwritable = error else {
      remove(index)
      return error
    }
    keepAlone(index)
    return explained(index, error)
  }

  /// The registry refused, or failed.
  func afterFailure(_ index: Int, _ error: RegistryError) -> AdapterError {
    switch error {
    case .storage, .busy:
      keepAlone(index)
      return explained(index, .registry(error))
    default:
      remove(index)
      return .registry(error)
    }
  }

  private func keepAlone(_ index: Int) {
    let missing = state.withLock { state in
      if state.places.isEmpty { state.places = Array(repeating: nil, count: list.count) }
      return state.places[index] == nil
    }
    guard missing else { return }
    let place = keep(list[index])
    state.withLock { $0.places[index] = place }
  }

  private func explained(_ index: Int, _ error: AdapterError) -> AdapterError {
    guard let place = state.withLock({ $0.places.isEmpty ? nil : $0.places[index] }) else {
      return error
    }
    return .kept(
      vbert: list[index].vbert.name.text, path: place.path(percentEncoded: false),
      why: error.description)
  }
}
