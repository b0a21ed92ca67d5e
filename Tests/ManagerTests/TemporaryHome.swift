internal import Compute
internal import Foundation
internal import Manager
internal import Model

/// A home in a directory of its own, removed when the test ends.
final class TemporaryHome: Sendable {
  let home: Home

  init() {
    home = Home(
      option: FileManager.default.temporaryDirectory
        .appending(path: "vbert-test-\(UUID().uuidString)").path())
  }

  deinit { try? FileManager.default.removeItem(at: home.root) }

  func registry(remembered: Int = 1 << 20) throws -> Registry {
    try Registry(home: home, remembered: remembered)
  }
}

extension VBertSpec {
  static func example(
    _ task: VBertTask = .classify,
    adapter: AdapterSpec = .bottleneck(width: 4, sites: [.attention]),
    labels: [String] = ["no", "yes"]
  ) -> VBertSpec {
    VBertSpec(task: task, base: "tiny", baseHash: "abc", adapter: adapter, labels: labels)
  }

  static let embedder = example(.embed, adapter: .none, labels: [])
}
