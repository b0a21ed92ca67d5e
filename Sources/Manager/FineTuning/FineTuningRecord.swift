package import Foundation
package import Model

/// How far a fine-tuning is.
package enum FineTuningState: String, Sendable, Hashable, CaseIterable {
  case queued, running, paused, succeeded, failed, cancelled

  package var isOver: Bool { [.succeeded, .failed, .cancelled].contains(self) }
}

/// What somebody asks of one that is not over.
package enum FineTuningChange: String, Sendable, Hashable {
  case cancel, pause, resume
}

/// What is to be learnt and how, as it was asked for; what is not said is what suits the rows.
package struct FineTuningWish: Sendable, Hashable, Codable {
  /// Ids of files.
  package var trainingFile: String
  package var validationFile: String?
  package var effort: String?
  package var epochs, batch, steps, patience, limit: Int?
  /// The peak learning rate, or a factor of the one that suits.
  package var rate, rateFactor: Double?
  package var dropout: Double?
  package var loss: String?
  package var dimensions: [Int]?
  package var seed: UInt64?
  package var startsAnew: Bool?

  package init(trainingFile: String, validationFile: String? = nil) {
    (self.trainingFile, self.validationFile) = (trainingFile, validationFile)
  }
}

/// A vBERT's training that somebody asked for, from the request to its end.
package struct FineTuningRecord: Sendable, Hashable {
  package let number: Int64
  /// `ftjob-` and 24 letters and digits.
  package let id: String
  package let tenant: Name
  package let vbert: Int64
  /// As it was named when this was asked for.
  package let name: Name
  /// What was named to go on from: a base, or the vBERT itself.
  package let model: String
  package let wish: FineTuningWish
  package let metadata: [String: String]
  package let state: FineTuningState
  /// What was asked of it while it ran, and is not done yet.
  package let asked: FineTuningChange?
  package let created: Date
  package let started: Date?
  package let finished: Date?
  package let error: String?
  /// The version that came of it.
  package let version: Int?
  /// Tokens gone through, all passes.
  package let tokens: Int?
}

/// What somebody asks for who wants a vBERT trained.
package struct NewFineTuning: Sendable {
  package var name: VBertName
  /// Of a vBERT that is made with it; nil: it is there.
  package var spec: VBertSpec?
  package var model: String
  package var wish: FineTuningWish
  package var metadata: [String: String]

  package init(
    _ name: VBertName, spec: VBertSpec? = nil, model: String, wish: FineTuningWish,
    metadata: [String: String] = [:]
  ) {
    (self.name, self.spec, self.model) = (name, spec, model)
    (self.wish, self.metadata) = (wish, metadata)
  }
}

/// A fine-tuning that this process runs.
package struct ClaimedFineTuning: Sendable {
  package let record: FineTuningRecord
  /// Keeps it this process's.
  package let running: RunningJob
}

/// What happened on the way.
package struct FineTuningEvent: Sendable, Hashable {
  package enum Level: String, Sendable, Hashable {
    case info, warn, error
  }
  package var number: Int64
  package var time: Date
  package var level: Level
  package var text: String
  /// Measures, for whoever draws them.
  package var data: [String: Double]

  package init(
    _ text: String, _ level: Level = .info, data: [String: Double] = [:], number: Int64 = 0,
    time: Date = .now
  ) {
    (self.number, self.time, self.level) = (number, time, level)
    (self.text, self.data) = (text, data)
  }
}
