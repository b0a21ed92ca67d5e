internal import Foundation
internal import Synchronization

/// Where the time goes, as Chrome's trace-event JSON: open the file in https://ui.perfetto.dev.
///
/// Events are written as they come, in blocks; after each block the file is a whole JSON array, so a
/// server that is killed leaves a trace that loads. It stops at `maxBytes`. Without a trace the
/// pipeline asks one optional a span.
package final class Trace: Sendable {
  /// A row of the picture: one of a lane's threads.
  package enum Row: Sendable {
    case prefetch(Int), compute(Int)

    fileprivate var number: Int {
      switch self {
      case .prefetch(let lane): 2 * lane + 1
      case .compute(let lane): 2 * lane + 2
      }
    }

    fileprivate var title: String {
      switch self {
      case .prefetch(let lane): lane == 0 ? "prefetch" : "prefetch \(lane + 1)"
      case .compute(let lane): lane == 0 ? "compute" : "compute \(lane + 1)"
      }
    }
  }

  /// One number or name of an event.
  package enum Detail: Sendable {
    case number(Double)
    case text(String)
  }

  private struct State: ~Copyable {
    var file: TraceFile
    var block: [UInt8] = []
    var lastWrite = ContinuousClock.now
    var isFull = false
  }

  private let start = ContinuousClock.now
  private let maxBytes: Int
  private let state: Mutex<State>

  /// Makes, or replaces, the file. Throws `TraceError`.
  package init(path: String, lanes: Int = 1, maxBytes: Int = 256 << 20) throws(TraceError) {
    self.maxBytes = maxBytes
    state = Mutex(State(file: try TraceFile(path: path)))
    for row in (0..<lanes).flatMap({ [Row.prefetch($0), .compute($0)] }) {
      append(
        #"{"name":"thread_name","ph":"M","pid":1,"tid":\#(row.number),"args":{"name":"\#(row.title)"}}"#
      )
    }
    flush()
  }

  /// Records what the row's thread did from `begin` until now, or until `end`.
  package func span(
    _ name: String, _ row: Row, from begin: ContinuousClock.Instant,
    to end: ContinuousClock.Instant = .now, _ details: KeyValuePairs<String, Detail> = [:]
  ) {
    var text = #"{"name":"\#(Trace.escaped(name))","ph":"X","pid":1,"tid":\#(row.number),"#
    text += #""ts":\#(Trace.microseconds(begin - start)),"dur":\#(Trace.microseconds(end - begin))"#
    var separator = #","args":{"#
    for (key, detail) in details {
      text += #"\#(separator)"\#(Trace.escaped(key))":"#
      switch detail {
      case .number(let number): text += number.isFinite ? "\(number)" : "null"
      case .text(let value): text += "\"\(Trace.escaped(value))\""
      }
      separator = ","
    }
    text += details.isEmpty ? "}" : "}}"
    append(text)
  }

  /// Writes what is still in memory.
  package func flush() {
    state.withLock { state in Trace.write(&state, maxBytes: maxBytes) }
  }

  private func append(_ event: String) {
    state.withLock { state in
      guard !state.isFull else { return }
      state.block += event.utf8
      state.block.append(UInt8(ascii: "\n"))
      let now = ContinuousClock.now
      if state.block.count > 64 << 10 || now - state.lastWrite > .seconds(1) {
        state.lastWrite = now
        Trace.write(&state, maxBytes: maxBytes)
      }
    }
  }

  private static func write(_ state: inout State, maxBytes: Int) {
    guard !state.block.isEmpty else { return }
    let room = maxBytes - state.file.byteCount
    if state.block.count > room || !state.file.append(lines: state.block) { state.isFull = true }
    state.block.removeAll(keepingCapacity: true)
  }

  private static func microseconds(_ duration: Duration) -> Double {
    ((duration / .microseconds(1)) * 10).rounded() / 10
  }

  private static func escaped(_ text: String) -> String {
    var out = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"", "\\": out += "\\\(scalar)"
      case _ where scalar.value < 32:
        let hex = String(scalar.value, radix: 16)
        out += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out
  }
}

/// A JSON array on disk that is whole after every write: the closing bracket is overwritten by what
/// follows it, in one write with the next bracket.
private struct TraceFile: ~Copyable {
  private let descriptor: Int32
  /// Of what is written, without the closing bracket.
  private(set) var byteCount = 0

  init(path: String) throws(TraceError) {
    let file = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard file >= 0 else {
      throw TraceError(path: path, why: unsafe String(cString: strerror(errno)))
    }
    descriptor = file
  }

  /// Lines end with a newline, each is one event. False where the disk takes no more.
  mutating func append(lines: [UInt8]) -> Bool {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(lines.count + lines.count / 32 + 4)
    var isFirst = byteCount == 0
    for line in lines.dropLast().split(separator: UInt8(ascii: "\n")) {
      bytes += (isFirst ? "[\n" : ",\n").utf8
      bytes += line
      isFirst = false
    }
    let count = bytes.count
    bytes += "\n]\n".utf8
    let written = unsafe bytes.withUnsafeBytes { bytes in
      unsafe pwrite(descriptor, bytes.baseAddress, bytes.count, off_t(byteCount))
    }
    guard written == bytes.count else { return false }
    byteCount += count
    return true
  }

  deinit { close(descriptor) }
}

/// The trace file cannot be made.
package struct TraceError: Error, CustomStringConvertible {
  package let path: String
  package let why: String

  package var description: String {
    "the trace \(path) cannot be written: \(why); give --trace a file in a directory that is writable"
  }
}
