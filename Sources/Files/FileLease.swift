internal import Glibc

/// An open file that the system guards for its readers: whoever wants to write to it or to shorten it
/// waits until it is closed here, or until the system's patience ends (/proc/sys/fs/lease-break-time,
/// 45 s). fcntl(2), "Leases".
final class FileLease: Sendable {
  private let descriptor: Int32

  /// Numbers of the Linux interface that are not in the headers without _GNU_SOURCE.
  private static let setSignal: Int32 = 10
  private static let setLease: Int32 = 1024
  private static let getLease: Int32 = 1025

  /// Owns `descriptor`, open for reading, from now on; nil, and then it does not, where the system
  /// gives no lease: a file system without them, another user's file, one that is open for writing.
  init?(_ descriptor: Int32) {
    // The system says by a signal that somebody waits. The usual one would end the process; of this one
    // nobody hears. `isWanted` asks.
    guard fcntl(descriptor, Self.setSignal, SIGURG) == 0,
      fcntl(descriptor, Self.setLease, Int32(F_RDLCK)) == 0
    else { return nil }
    self.descriptor = descriptor
  }

  deinit { close(descriptor) }

  /// Somebody waits to write to the file, or has stopped waiting. One system call.
  var isWanted: Bool { fcntl(descriptor, Self.getLease) != Int32(F_RDLCK) }
}
