import Foundation
import Scheduler
import Testing

@Suite struct TraceTests {
  private struct Event: Decodable {
    var name: String
    var ph: String
    var tid: Int
    var ts: Double?
    var dur: Double?
  }

  private func temporary() -> URL {
    FileManager.default.temporaryDirectory.appending(path: "trace-\(UUID().uuidString).json")
  }
  private func read(_ url: URL) throws -> [Event] {
    try JSONDecoder().decode([Event].self, from: Data(contentsOf: url))
  }

  @Test func theFileIsWholeAfterEveryBlock() throws {
    let url = temporary()
    defer { try? FileManager.default.removeItem(at: url) }
    let trace = try Trace(path: url.path())
    #expect(try read(url).count == 2)
    var last = 2
    for i in 0..<20_000 {
      trace.span(
        "layer \(i)", .compute(0), from: .now - .milliseconds(3),
        ["vbert": .text("a\"b\\c\n\u{1}é"), "rows": .number(7), "bad": .number(.nan)])
      if i % 4000 == 0 {
        let now = try read(url).count
        #expect(now >= last)
        last = now
      }
    }
    trace.flush()
    let events = try read(url)
    #expect(events.count == 20_002)
    #expect(events[2].name == "layer 0" && events[2].ph == "X" && events[2].tid == 2)
    #expect((events[2].dur ?? 0) >= 3000)
  }

  @Test func itStopsAtItsBound() throws {
    let url = temporary()
    defer { try? FileManager.default.removeItem(at: url) }
    let trace = try Trace(path: url.path(), maxBytes: 300_000)
    for _ in 0..<20_000 { trace.span("x", .prefetch(0), from: .now) }
    trace.flush()
    #expect(try Data(contentsOf: url).count < 300_100)
    #expect(try read(url).count > 1000)
  }

  @Test func everyLaneHasItsRows() throws {
    let url = temporary()
    defer { try? FileManager.default.removeItem(at: url) }
    let trace = try Trace(path: url.path(), lanes: 2)
    trace.span("x", .prefetch(1), from: .now)
    trace.flush()
    #expect(try read(url).map(\.tid) == [1, 2, 3, 4, 3])
  }

  @Test func aDirectoryThatIsNotThereIsAnError() {
    #expect(throws: TraceError.self) { try Trace(path: "/nowhere/trace.json") }
  }
}
