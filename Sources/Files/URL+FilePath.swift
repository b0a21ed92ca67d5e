package import Foundation

extension URL {
  /// The path as the system takes it. (`path()` percent-encodes: a space would become another name.)
  package var filePath: String { path(percentEncoded: false) }
}
