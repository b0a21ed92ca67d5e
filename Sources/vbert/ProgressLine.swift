import Foundation
import Glibc

/// How far long work is and when it will be done, in one line on stderr that overwrites itself.
/// Silent where stderr is not a terminal.
struct ProgressLine {
  private let isShown = isatty(STDERR_FILENO) == 1
  private let start = ContinuousClock.now
  private var last: ContinuousClock.Instant?

  /// `done` of `total` in "rows", say; at most five times a second. Without a `total`, only the rate.
  /// `note` is what else there is to say.
  mutating func update(
    _ what: String, done: Int, of total: Int? = nil, unit: String,
    note: @autoclosure () -> String = ""
  ) {
    let now = ContinuousClock.now
    guard isShown, done == total || last.map({ now - $0 > .milliseconds(200) }) ?? true else {
      return
    }
    last = now
    let seconds = (now - start) / .seconds(1)
    let rate = Double(done) / max(1e-9, seconds)
    // Of the first moment, and of nothing, there is none that means anything.
    let isKnown = seconds > 0.1 && done > 0
    var line = "\(what): \(done)"
    if let total {
      line += " of \(total) \(unit) (\(100 * done / max(1, total))%)"
      if done < total, isKnown {
        line += ", \(duration(Double(total - done) / max(1e-9, rate))) left"
      }
    } else {
      line += " \(unit)"
    }
    if isKnown { line += ", \(Int(rate))/s" }
    write("\r\u{1B}[K\(line)\(note())")
  }

  /// A line of its own, which stays.
  func say(_ text: String) { if isShown { write("\r\u{1B}[K\(text)\n") } }

  /// A line of its own, wherever stderr goes.
  func tell(_ text: String) { write((isShown ? "\r\u{1B}[K" : "") + text + "\n") }

  /// A line that is said wherever stderr goes.
  static func warn(_ text: String) {
    try? FileHandle.standardError.write(contentsOf: Data("vbert: \(text)\n".utf8))
  }

  /// Ends the line.
  func end() { if isShown, last != nil { write("\n") } }

  private func duration(_ seconds: Double) -> String {
    let whole = Int(min(seconds, 1e9))
    return whole < 60
      ? "\(whole) s"
      : whole < 3600
        ? "\(whole / 60) min \(whole % 60) s" : "\(whole / 3600) h \(whole / 60 % 60) min"
  }

  private func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}
