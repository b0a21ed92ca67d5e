package import Files
package import Foundation

/// The data directory: everything that one server knows lives below it.
///
/// ```
/// registry.sqlite        tenants, vBERTs, versions, jobs (SQLite in WAL mode, with -wal and -shm)
/// bases/<name>/          shared encoders, and their lookup tables
/// adapters/<xx>/<blob>   trained parameters, one file a version, never changed once named
/// unpublished/<vbert>-<xx>  results that could not be published, to be imported
/// files/<id>             what tenants brought over HTTP to learn from
/// distill/               checkpoints of distillations that are not done
/// locks/                 files whose flock says who is alive; their contents mean nothing
/// ```
/// A server and any number of command lines use one home at once: SQLite serialises the registry's
/// writers, files appear by rename, and whatever must be exclusive takes a `FileLock`.
package struct Home: Sendable, Hashable {
  package let root: URL

  /// `--home` if given, else `VBERT_HOME`, else `~/.vbert`. Creates nothing.
  package init(
    option: String? = nil,
    environment: [String: String] = ProcessInfo.processInfo.environment
  ) {
    let path =
      [option, environment["VBERT_HOME"]].compactMap(\.self).first { !$0.isEmpty }
      ?? FileManager.default.homeDirectoryForCurrentUser.appending(path: ".vbert").path(
        percentEncoded: false)
    root = URL(filePath: path, directoryHint: .isDirectory).standardizedFileURL
  }

  package var registry: URL { root.appending(path: "registry.sqlite") }
  package var bases: URL { root.appending(path: "bases", directoryHint: .isDirectory) }
  package var adapters: URL { root.appending(path: "adapters", directoryHint: .isDirectory) }
  /// Results that could not be published when they were ready.
  package var unpublished: URL {
    root.appending(path: "unpublished", directoryHint: .isDirectory)
  }
  /// Checkpoints of distillations that are not done.
  package var distillations: URL { root.appending(path: "distill", directoryHint: .isDirectory) }
  package var locks: URL { root.appending(path: "locks", directoryHint: .isDirectory) }

  /// Makes the directories that are not there yet, readable by their owner alone (the registry holds
  /// key hashes, adapters are trained on private text). Throws `HomeError`.
  package func create() throws(HomeError) {
    for directory in [root, bases, adapters, locks] {
      do {
        try FileManager.default.createDirectory(
          at: directory, withIntermediateDirectories: true,
          attributes: [.posixPermissions: 0o700])
      } catch {
        throw .uncreatable(path: directory.filePath, why: plain(error))
      }
      HomeModes.tighten(directory.filePath)
    }
  }

  /// Takes the lock of this name; nil when another holder (of this process or another) is in the
  /// way and `wait` is false. Names are of our own making, not the user's. Throws `HomeError`.
  package func lock(
    _ name: String, _ kind: FileLock.Kind = .exclusive, wait: Bool = false
  ) throws(HomeError) -> FileLock? {
    let path = locks.appending(path: name).filePath
    do { return try FileLock(path: path, kind, wait: wait) } catch {
      throw .unlockable(path: path, why: error.reason)
    }
  }
}

/// What can be wrong with the data directory.
package enum HomeError: Error, Equatable, CustomStringConvertible {
  case uncreatable(path: String, why: String)
  case unlockable(path: String, why: String)

  package var description: String {
    switch self {
    case .uncreatable(let path, let why):
      "the data directory \(path) cannot be made: \(why); choose another with --home or VBERT_HOME"
    case .unlockable(let path, let why):
      "the lock \(path) cannot be taken: \(why); is the data directory writable?"
    }
  }
}
