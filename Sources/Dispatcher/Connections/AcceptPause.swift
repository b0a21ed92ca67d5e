package import Logging
package import NIOCore

/// What a listener does when the system has no descriptor or memory for one more connection: says so
/// once a minute and tries again after a tenth of a second, instead of spinning. Connections that were told
/// to go need as long; a burst of new ones meets the limit several times, and /health waits behind it.
package enum AcceptPause {
  /// `channel` is a listening one.
  package static func add(to channel: any Channel, _ log: Logger) async {
    try? await channel.eventLoop.submit {
      try channel.pipeline.syncOperations.addHandler(handler(log), position: .first)
    }.get()
  }

  private static func handler(_ log: Logger) -> AcceptBackoffHandler {
    var said: NIODeadline?
    return AcceptBackoffHandler(shouldForwardIOErrorCaught: false) { error in
      let now = NIODeadline.now()
      if said.map({ now - $0 >= .minutes(1) }) ?? true {
        said = now
        log.error(
          "connections cannot be accepted: lower --connections or raise ulimit -n",
          metadata: ["why": "\(error)"])
      }
      return .milliseconds(100)
    }
  }
}
