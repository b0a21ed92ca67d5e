internal import Foundation
internal import Manager
internal import Model

/// Which days, from `from` to `to` with both, in UTC; the last 31 where it says nothing.
struct UsageQuery: Sendable {
  let days: ClosedRange<Int>
  let tenant: String?
  let isCSV: Bool

  /// `value` has what the query says under a name. Throws `APIError`.
  init(_ value: (String) -> String?) throws(APIError) {
    func day(_ name: String) throws(APIError) -> Int? {
      guard let text = value(name) else { return nil }
      let style = Date.ISO8601FormatStyle().year().month().day()
      // February has no 31st: it is not March's 3rd.
      guard let date = try? style.parse(text), style.format(date) == text else {
        throw .invalid("a day like 2026-12-01 was expected", param: name)
      }
      return UsageRecord.day(of: date)
    }
    let last = try day("to") ?? UsageRecord.day(of: .now)
    let first = try day("from") ?? last - 30
    guard first <= last else { throw .invalid("it is after to", param: "from") }
    days = first...last
    tenant = value("tenant")
    switch value("format") {
    case nil, "json": isCSV = false
    case "csv": isCSV = true
    default: throw .invalid("json or csv was expected", param: "format")
    }
  }
}

extension Dispatcher {
  /// By day and tenant: the caller's own, or for the operator everybody's, or one's. Up to the last request
  /// that has ended.
  func usage(_ query: UsageQuery, _ caller: Caller) async throws -> Outcome {
    let everybody = caller.isOperator && query.tenant == nil
    let tenant = everybody ? nil : try caller.tenant(asked: query.tenant)
    await self.usage.flush()
    return try await managing(caller) {
      let found = try await registry.usage(of: tenant, days: query.days).map { UsageAnswer($0) }
      guard query.isCSV else { return try Outcome(encoding: Page(data: found, hasMore: false)) }
      // Names hold nothing that CSV would quote.
      let lines = found.map {
        "\($0.date),\($0.tenant),\($0.requests),\($0.tokens),\($0.trainingRows)"
      }
      let text =
        (["date,tenant,requests,tokens,training_rows"] + lines).joined(separator: "\r\n") + "\r\n"
      return Outcome(text: text, type: "text/csv; charset=utf-8")
    }
  }
}

private struct UsageAnswer: Encodable {
  let object = "usage"
  let date: String
  let tenant: String
  let requests: Int
  let tokens: Int
  let trainingRows: Int

  init(_ record: UsageRecord) {
    (date, tenant) = (record.date, record.tenant.text)
    (requests, tokens, trainingRows) = (record.requests, record.tokens, record.trainingRows)
  }
}
