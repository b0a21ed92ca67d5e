import Foundation

/// How long something lasts: a number with s, m, h or d, or until a date.
enum Term: Equatable {
  case seconds(Double)
  case until(Date)

  static let hour: Term = .seconds(3600)

  /// 30m, 12h, 90d; 2027-06-30 (its beginning, UTC) or 2027-06-30T12:00:00Z. Throws `TermError`.
  init(_ text: String) throws {
    let units: [Character: Double] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
    if let last = text.last, let unit = units[last], let number = Int(text.dropLast()),
      0...100_000_000 ~= number, !text.hasPrefix("+")
    {
      let seconds = Double(number) * unit
      guard seconds <= 100 * 366 * 86_400 else { throw TermError(text: text) }
      self = .seconds(seconds)
      return
    }
    let day = Date.ISO8601FormatStyle().year().month().day()
    // February has no 31st: it is not March's 3rd.
    let first = String(text.prefix(10))
    guard let begin = try? day.parse(first), day.format(begin) == first,
      let date = text == first ? begin : try? Date.ISO8601FormatStyle().parse(text)
    else { throw TermError(text: text) }
    self = .until(date)
  }

  func end(from now: Date) -> Date {
    switch self {
    case .seconds(let seconds): now.addingTimeInterval(seconds)
    case .until(let date): date
    }
  }
}

struct TermError: Error, CustomStringConvertible {
  let text: String

  var description: String {
    "\"\(text)\" is no length of time: use a number with s, m, h or d (90d), or a date (2027-06-30)"
  }
}
