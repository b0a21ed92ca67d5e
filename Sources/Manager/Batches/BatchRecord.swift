package import Foundation
package import Model

/// How far a batch is; OpenAI's words.
package enum BatchState: String, Sendable, Hashable, CaseIterable {
  case validating, inProgress = "in_progress", completed, failed, expired, cancelling, cancelled

  package var isOver: Bool { [.completed, .failed, .expired, .cancelled].contains(self) }
}

extension BatchRecord {
  /// Seconds that a batch has: what was not answered by then is not. OpenAI's `24h`.
  package static let window: Double = 86_400

  package var expires: Date { created + Self.window }
}

/// Requests of a file, asked one after the other while nobody else asks, and their answers in another.
package struct BatchRecord: Sendable, Hashable {
  package let number: Int64
  /// `batch-` and 24 letters and digits.
  package let id: String
  package let tenant: Name
  /// The route that all of them ask.
  package let endpoint: String
  package let input: String
  /// Of files that are there once it is over, where anything is in them.
  package let output, errors: String
  package let metadata: [String: String]
  package let state: BatchState
  package let progress: BatchProgress
  package let created: Date
  package let started: Date?
  package let finished: Date?
  package let cancelling: Date?
  package let error: String?
}

/// Up to where a batch is done, and how long what came of it is: what is written beyond that is not known to be whole.
package struct BatchProgress: Sendable, Hashable, Codable {
  /// Requests in all, and those that were answered well or not.
  package var total, completed, failed: Int
  /// Bytes that were written.
  package var output, errors: Int

  package init(
    total: Int, completed: Int = 0, failed: Int = 0, output: Int = 0, errors: Int = 0
  ) {
    (self.total, self.completed, self.failed) = (total, completed, failed)
    (self.output, self.errors) = (output, errors)
  }

  package var done: Int { completed + failed }
}

/// What somebody asks for who has a file of requests.
package struct NewBatch: Sendable {
  package var tenant: Name
  package var endpoint: String
  package var input: String
  package var metadata: [String: String]

  package init(tenant: Name, endpoint: String, input: String, metadata: [String: String] = [:]) {
    (self.tenant, self.endpoint, self.input) = (tenant, endpoint, input)
    self.metadata = metadata
  }
}
