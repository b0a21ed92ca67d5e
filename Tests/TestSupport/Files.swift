package import Foundation

/// The file's bytes, unpacked by gzip where the name ends in `.gz`.
package func contents(of file: URL) throws -> Data {
  guard file.pathExtension == "gz" else { return try Data(contentsOf: file) }
  let gzip = Process()
  gzip.executableURL = URL(filePath: "/usr/bin/env")
  gzip.arguments = ["gzip", "-dc", file.path()]
  let output = Pipe()
  gzip.standardOutput = output
  try gzip.run()
  let bytes = try output.fileHandleForReading.readToEnd() ?? Data()
  gzip.waitUntilExit()
  guard gzip.terminationStatus == 0 else { throw CocoaError(.fileReadCorruptFile) }
  return bytes
}

extension Data {
  /// The lines that are not empty, each its own JSON document.
  package var jsonLines: [Data] { split(separator: UInt8(ascii: "\n")).map { Data($0) } }
}
