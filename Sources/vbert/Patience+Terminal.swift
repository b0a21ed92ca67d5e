import Foundation
import Manager

extension Patience {
  /// An hour, told on stderr.
  static let onTerminal = Patience { FileHandle.standardError.write(Data("vbert: \($0)\n".utf8)) }
}
