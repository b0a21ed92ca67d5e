import Foundation
import Testing

/// Numbers that are numbers, and nothing else that makes sense: an error or an answer, never a trap.
@Suite struct OddNumberTests {
  @Test func oddNumbersAreRefusedOrBounded() throws {
    let world = try TinyWorld()
    let vbert = world.vbert
    defer { vbert.removeHome() }
    let texts = vbert.home.appending(path: "texts.jsonl")
    try Data("{\"text\":\"the red cat runs\"}\n".utf8).write(to: texts)
    let base = ["--base", "tiny-skip2"]
    let data = base + ["--data", texts.path()]
    let out = ["--out", vbert.home.appending(path: "out").path()]
    let corpus = base + ["--corpus", vbert.home.appending(path: "corpus.txt").path()]
    for number in ["0", "-1", "2", "\(Int.min)"] {
      for command in [["dump"] + data + out, ["tokenize"] + data] {
        let output = try vbert.run(command + ["--max-length=\(number)"])
        #expect(output.status == 2, "\(command) \(number)")
        #expect(output.stderr.contains("--max-length must be 3 or more"), "\(output.stderr)")
      }
    }
    for command in [
      ["serve", "--port", "0", "--plot-bytes"], ["plot", "bench"] + corpus + ["--cache"],
    ] {
      let output = try vbert.run(command + ["\(Int.max)"])
      #expect(output.status == 2, "\(command): \(output.stderr)")
    }
    for command in [
      ["dump"] + data + out + ["--max-length"], ["tokenize"] + data + ["--max-length"],
      ["plot", "build"] + corpus + ["--memory"], ["plot", "ngrams"] + corpus + out + ["--memory"],
    ] {
      #expect(try vbert.run(command + ["\(Int.max)"]).status == 0, "\(command)")
    }
  }

  /// An argument that is no text is refused, as it is in a body, not repaired.
  @Test(arguments: ["\\377", "a\\303", "caf\\351 noir", "\\355\\240\\200"])
  func argumentsAreText(_ bytes: String) throws {
    let shell = Process()
    let words = Pipe()
    shell.executableURL = URL(filePath: "/bin/sh")
    shell.arguments = [
      "-c", "\"$0\" predict topic \"$(printf '\(bytes)')\"", try VbertProcess.binary.path(),
    ]
    shell.standardError = words
    try shell.run()
    let said = String(decoding: words.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    shell.waitUntilExit()
    #expect(shell.terminationStatus == 2 && said.contains("argument 3 is not UTF-8"), "\(said)")
  }

  /// Of lists that a command reads, the file is named, and no words of a library are in the answer.
  @Test func listsThatCannotBeReadAreNamed() throws {
    let world = try TinyWorld()
    let vbert = world.vbert
    defer { vbert.removeHome() }
    let list = vbert.home.appending(path: "list.json")
    try Data("[[1, 2.5, 99999999999]]".utf8).write(to: list)
    let known = ["dump", "--base", "tiny-skip2", "--data", "x", "--out", "y", "--known"]
    for command in [
      known + [list.path()], known + ["/nowhere/list"], ["train", "--many", "/nowhere/list"],
      ["train", "--many", vbert.home.path()],
    ] {
      let output = try vbert.run(command)
      #expect([1, 2].contains(output.status))
      #expect(output.stderr.contains(command[command.count - 1]), "\(output.stderr)")
      #expect(!output.stderr.contains("Error Domain") && !output.stderr.contains("Decoding"))
    }
  }
}
