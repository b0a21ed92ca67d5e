package import Foundation
package import Model

/// What a tenant used on one day, in UTC: what one bills by.
package struct UsageRecord: Sendable, Hashable {
  /// Days since 1970-01-01.
  package let day: Int
  package let tenant: Name
  /// That were answered, or refused for what they ask.
  package let requests: Int
  /// Tokens that were computed.
  package let tokens: Int
  /// Rows that were trained on, all passes, by the server.
  package let trainingRows: Int

  /// `2026-12-01`.
  package var date: String {
    Date(timeIntervalSince1970: Double(day) * 86_400).formatted(.iso8601.year().month().day())
  }

  package static func day(of time: Date) -> Int {
    Int((time.timeIntervalSince1970 / 86_400).rounded(.down))
  }
}

/// What is added to a tenant's day.
package struct Usage: Sendable, Hashable {
  package var requests = 0
  package var tokens = 0
  package var trainingRows = 0

  package init(requests: Int = 0, tokens: Int = 0, trainingRows: Int = 0) {
    (self.requests, self.tokens, self.trainingRows) = (requests, tokens, trainingRows)
  }

  package mutating func add(_ other: Usage) {
    requests += other.requests
    tokens += other.tokens
    trainingRows += other.trainingRows
  }
}
