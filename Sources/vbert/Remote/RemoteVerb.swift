import ArgumentParser
import Foundation
import VBERTClient

/// A verb that does the same on a running server.
protocol RemoteVerb {
  var options: GlobalOptions { get }
  /// Options that mean nothing there, or are the server's to say.
  static var ofTheHome: [String] { get }
  func run(on client: VBERTClient) async throws
}

extension RemoteVerb {
  static var ofTheHome: [String] { [] }

  /// Runs it on the server that --server names; false where none is named. Throws `ValidationError` for options
  /// that would be ignored there.
  func runOnServer() async throws -> Bool {
    guard let url = options.server else { return false }
    guard options.home == nil else {
      throw ValidationError("--home and --server contradict each other: give one")
    }
    let given = Set(CommandLine.arguments.map { $0.split(separator: "=").first.map(String.init) })
    if let option = Self.ofTheHome.first(where: given.contains) {
      throw ValidationError("\(option) means nothing with --server: leave it out")
    }
    let key = options.key ?? ProcessInfo.processInfo.environment["VBERT_KEY"]
    do { try await run(on: VBERTClient(url: url, key: key)) } catch let error as VBERTClientError {
      throw RemoteError(error, hasKey: key != nil)
    }
    return true
  }
}

/// What the server says, with what to do where the command line knows.
struct RemoteError: Error, CustomStringConvertible {
  let description: String

  init(_ error: VBERTClientError, hasKey: Bool) {
    if case .status(401, let words, _) = error, !hasKey {
      description = "\(words) (give it with --key, or in VBERT_KEY)"
    } else {
      description = "\(error)"
    }
  }
}
