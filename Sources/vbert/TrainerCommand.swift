import ArgumentParser
import Foundation
import Manager
import Model
import Trainer

/// `vbert trainer`: runs the fine-tunings that were asked for over HTTP.
struct TrainerCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "trainer",
    abstract: "Run the fine-tunings that wait in the queue of a home.",
    discussion: """
      A server runs them itself, in a process of this kind beside it, with the lowest priority. This runs them
      elsewhere: on another GPU, or while no server is there. Several may work on one home: each takes the next
      one, tenants in turn.
        vbert trainer --once
        vbert serve --training-share 0 & vbert trainer --device cuda:1
      On SIGTERM the one that runs goes back into the queue.
      """)

  @OptionGroup var options: GlobalOptions
  @OptionGroup var device: DeviceOptions
  @OptionGroup var precision: TrainingPrecisionOptions
  @Option(help: "Compute threads of a CPU (default: all cores).") var threads: Int?
  @Flag(help: "End when none waits.") var once = false
  @Option(help: ArgumentHelp("Beside a server: its share of the time.", visibility: .private))
  var besideServer: Double?

  func validate() throws {
    guard threads ?? 1 >= 1 else { throw ValidationError("--threads must be 1 or more") }
  }

  func run() async throws {
    TrainerEnd.hearSignals()
    let server = besideServer.map { ServerLoad(share: $0) }
    if let server {
      lowerPriority()
      server.listen()
    }
    let store = try options.openStore()
    let choice = try precision.precision.choice(on: device)
    let service = TrainingService(store: store, room: .ofOne, note: "fine-tuned") { spec in
      try OpenedBase(
        of: spec, home: store.home, device: device, precision: choice, threads: threads)
    }
    let desk = TrainingDesk(service, lease: { server?.wait() }, isOver: { TrainerEnd.isAsked })
    try await Actor.$current.withValue(Actor("trainer")) {
      try await work(desk, isOnce: once || server != nil)
    }
  }

  /// Of a server's, the last to find nothing ends: the server begins another when there is work.
  private func work(_ desk: TrainingDesk, isOnce: Bool) async throws {
    while !TrainerEnd.isAsked {
      if let done = try await desk.runNext() {
        let why = done.error.map { ": \($0)" } ?? done.version.map { ", version \($0)" } ?? ""
        ProgressLine.warn(
          "trainer: \(done.id) (\(VBertName(done.name, of: done.tenant))) \(done.state.rawValue)\(why)"
        )
      } else if isOnce {
        return
      } else {
        try await Task.sleep(for: .milliseconds(500))
      }
    }
  }
}
