import Foundation
import TestSupport

/// Runs the built command line, as a user would.
struct VbertProcess {
  struct Failure: Error, CustomStringConvertible {
    var description: String
  }

  struct Output {
    var status: Int32
    var stdout: String
    var stderr: String
  }

  /// Everything is kept here, one home a test.
  let home: URL
  /// Whether verbs are told of it.
  private let isAtHome: Bool

  /// The binary beside the test bundle, whatever the configuration.
  static var binary: URL {
    get throws {
      for argument in CommandLine.arguments {
        let beside = URL(filePath: argument).deletingLastPathComponent().appending(path: "vbert")
        if FileManager.default.isExecutableFile(atPath: beside.path()) { return beside }
      }
      for configuration in ["release", "debug"] {
        let built = Resources.packageRoot.appending(path: ".build/\(configuration)/vbert")
        if FileManager.default.isExecutableFile(atPath: built.path()) { return built }
      }
      throw Failure(description: "vbert is not built: swift build --product vbert")
    }
  }

  /// Not `isAtHome`: for verbs that ask a server.
  init(isAtHome: Bool = true) throws {
    self.isAtHome = isAtHome
    home = FileManager.default.temporaryDirectory.appending(path: "vbert-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: home, withIntermediateDirectories: true)
  }

  func removeHome() { try? FileManager.default.removeItem(at: home) }

  /// A process that is not yet started; output goes to files, so that no pipe can fill up.
  func process(_ arguments: [String]) throws -> (Process, stdout: URL, stderr: URL) {
    let process = Process()
    process.executableURL = try Self.binary
    process.arguments = arguments + (isAtHome ? ["--home", home.path()] : [])
    let name = UUID().uuidString
    let files = ["out", "err"].map { home.appending(path: "\(name).\($0)") }
    for file in files { try Data().write(to: file) }
    process.standardOutput = try FileHandle(forWritingTo: files[0])
    process.standardError = try FileHandle(forWritingTo: files[1])
    return (process, files[0], files[1])
  }

  /// Runs to the end.
  func run(_ arguments: [String]) throws -> Output {
    let (process, stdout, stderr) = try process(arguments)
    try process.run()
    process.waitUntilExit()
    return Output(
      status: process.terminationStatus, stdout: try String(contentsOf: stdout, encoding: .utf8),
      stderr: try String(contentsOf: stderr, encoding: .utf8))
  }

  /// Runs to the end and returns stdout; throws what it said when it failed.
  @discardableResult func succeed(_ arguments: String...) throws -> String {
    let output = try run(arguments)
    guard output.status == 0 else {
      throw Failure(
        description: "vbert \(arguments.joined(separator: " ")): \(output.status) \(output.stderr)")
    }
    return output.stdout
  }
}
