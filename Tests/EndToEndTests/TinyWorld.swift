import Foundation

/// A home with the tiny base imported, skipped and tabulated, and a corpus: what every end-to-end
/// test starts from.
struct TinyWorld {
  let vbert: VbertProcess

  init() throws {
    vbert = try VbertProcess()
    let model = vbert.home.appending(path: "checkpoint")
    try TinyCheckpoint.write(to: model)
    try vbert.succeed("base", "import", model.path(), "--name", "tiny")
    try vbert.succeed("base", "skip", "--base", "tiny", "--skip", "2", "--name", "tiny-skip2")
    let corpus = vbert.home.appending(path: "corpus.txt")
    try Data("the red cat runs\na cold dog sleeps in oslo .\n".utf8).write(to: corpus)
    try vbert.succeed("plot", "build", "--base", "tiny-skip2", "--corpus", corpus.path())
  }

  /// Creates and trains one vBERT.
  func train(_ name: String, task: String, rows: [[String: Any]], _ more: [String] = []) throws {
    let data = try TinyData.write(rows, name, in: vbert.home)
    try vbert.succeed("create", name, "--task", task, "--base", "tiny-skip2")
    let output = try vbert.run(
      ["train", name, "--data", data, "--dev", data, "--epochs", "12", "--lr", "0.01"] + more)
    guard output.status == 0 else { throw VbertProcess.Failure(description: output.stderr) }
  }

  /// The current version, as `vbert versions` lists it.
  func version(of name: String) throws -> Int? {
    let json = try vbert.succeed("versions", name, "--json")
    let rows = try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [[String: Any]]
    return rows?.first { $0["current"] as? Bool == true }?["version"] as? Int
  }
}
