import Glibc
import NIOCore

/// Why a port cannot be listened on, in words of our own.
struct ListenError: Error, CustomStringConvertible {
  let description: String

  /// nil for an error that has nothing to do with it.
  init?(_ error: any Error, _ options: ServingOptions) {
    let ports = [options.port] + (options.healthPort.map { [$0] } ?? [])
    let place = "\(options.host), port \(ports.map(String.init).joined(separator: " or "))"
    switch error {
    case is SocketAddressError, is SocketAddressError.UnknownHost:
      description =
        "no address is known of the host \"\(options.host)\"; give --host an address of this machine"
    case let error as IOError:
      let reason = unsafe String(cString: strerror(error.errnoCode))
      description = "cannot listen on \(place): \(reason)\(Self.advice(error.errnoCode))"
    default: return nil
    }
  }

  private static func advice(_ code: CInt) -> String {
    switch code {
    case EADDRINUSE:
      "; another program does: stop it, or choose another port (0 for any that is free)"
    case EADDRNOTAVAIL: "; give --host an address of this machine, or 0.0.0.0 for all"
    case EACCES: "; choose a port from 1024 on, or allow this one"
    default: ""
    }
  }
}
