import Foundation
import TestSupport

/// Files in Tests/ModelTests/Fixtures.
enum Fixture {
  static func bytes(_ name: String) throws -> [UInt8] {
    [UInt8](
      try contents(of: Resources.packageRoot.appending(path: "Tests/ModelTests/Fixtures/\(name)")))
  }
}
