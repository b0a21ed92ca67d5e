import Foundation
import Glibc

/// Raises this process's soft limit of open files to the hard one, as servers do: the soft limit of a
/// login (1,024) is there for programs that use select. Where the system refuses, it stays as it is.
func raiseDescriptorLimit() {
  var limit = rlimit()
  let files = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
  guard unsafe getrlimit(files, &limit) == 0, limit.rlim_cur < limit.rlim_max else { return }
  limit.rlim_cur = limit.rlim_max
  unsafe _ = setrlimit(files, &limit)
}

/// Files that this process may have open at once.
func descriptorLimit() -> Int {
  var limit = rlimit()
  let files = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
  guard unsafe getrlimit(files, &limit) == 0 else { return 1024 }
  return Int(clamping: limit.rlim_cur)
}

/// Files that it has open now.
func openDescriptors() -> Int {
  (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count) ?? 32
}
