internal import Files
package import Foundation

extension Home {
  static let jobLockPrefix = "job-"
  /// Of directories, which nobody locks: a day, in seconds.
  private static let age = 24.0 * 3600

  /// Removes what programs that were killed left behind: locks of jobs, bases in preparation, files on
  /// their way to their names. What somebody still works on stays. Not adapters' shards: see
  /// `AdapterStore.collectOrphans`. O(bases), and needs the registry open, which ends dead jobs. Returns
  /// how many went.
  @discardableResult
  package func sweepLeftovers(now: Date = Date()) -> Int {
    var directories = [root, bases, adapters, unpublished, distillations]
    for name in Self.names(bases) {
      let base = bases.appending(path: name, directoryHint: .isDirectory)
      if FileKind(base) == .directory { directories += [base, Base.plotDirectory(of: base)] }
    }
    return directories.reduce(sweepLocks() + sweepStaging() + sweepUnfinished(now)) {
      $0 + Leftover.sweep($1)
    }
  }

  private static func names(_ directory: URL) -> [String] {
    (try? FileManager.default.contentsOfDirectory(atPath: directory.filePath)) ?? []
  }

  private func sweepLocks() -> Int {
    Self.names(locks).filter { $0.hasPrefix(Self.jobLockPrefix) }.count { name in
      guard FileKind(locks.appending(path: name)) == .file, let lock = try? self.lock(name) else {
        return false
      }
      lock.removeFile()
      return true
    }
  }

  private func sweepStaging() -> Int {
    guard let lock = try? lock(BaseStore.lockName) else { return 0 }
    return withExtendedLifetime(lock) { (try? BaseStore.sweepStaging(self)) ?? 0 }
  }

  /// Directories of results that were being kept.
  private func sweepUnfinished(_ now: Date) -> Int {
    Self.names(unpublished).filter { $0.hasPrefix(Leftover.prefix) }.count { name in
      let place = unpublished.appending(path: name)
      guard FileKind(place) == .directory,
        let changed = try? place.resourceValues(forKeys: [.contentModificationDateKey])
          .contentModificationDate, now.timeIntervalSince(changed) > Self.age
      else { return false }
      return (try? FileManager.default.removeItem(at: place)) != nil
    }
  }
}
