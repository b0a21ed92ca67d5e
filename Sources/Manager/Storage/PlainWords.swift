internal import Foundation
internal import Glibc
internal import Model

/// Foundation's long-winded errors in the words meant for people: the system's own reason where it gives
/// one, never domains and codes. A decoder's in ours; any other error's own.
package func plain(_ error: any Error) -> String {
  guard let error = error as? CocoaError else { return words(error) }
  if error.code == .fileReadNoSuchFile || error.code == .fileNoSuchFile {
    return "there is no such file"
  }
  return reason(error) ?? "the system gives no reason"
}

/// The same with the path that the error names, if it names one: for who does not say it anyway.
package func plainWithPath(_ error: any Error) -> String {
  guard let path = (error as? CocoaError)?.filePath else { return plain(error) }
  return "\(path): \(plain(error))"
}

/// What the system said, which may lie some errors deep.
private func reason(_ error: any Error) -> String? {
  var next: (any Error)? = error
  for _ in 0..<8 {
    guard let error = next as NSError? else { return nil }
    if error.domain == NSPOSIXErrorDomain {
      return unsafe String(cString: strerror(Int32(truncatingIfNeeded: error.code)))
    }
    next = error.userInfo[NSUnderlyingErrorKey] as? any Error
  }
  return nil
}
